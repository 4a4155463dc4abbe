// Checks each change of this repository: what it does to every cluster, and that the environment of @CLUSTER@ still works.
// Written by `onepane ci pipeline jenkins`, and yours to change.
//
// What it needs: agents with the label `docker`, and of Jenkins
//   environment variable ONEPANE_IMAGE   an image that has onepane at /usr/bin/onepane
//   credentials kubeconfig-@CLUSTER@     a file with the context that onepane.yaml names for @CLUSTER@
//   plugins JUnit and Checks API
// What has passed is not promoted here; `onepane promote FROM TO` does that.
pipeline {
  agent { label 'docker' }
  options {
    timeout(time: 45, unit: 'MINUTES')
    disableConcurrentBuilds(abortPrevious: true)
  }
  stages {
    stage('Check') {
      when { changeRequest() }
      steps {
        withCredentials([file(credentialsId: 'kubeconfig-@CLUSTER@', variable: 'KUBECONFIG')]) {
          sh '''
            rm -rf report
            mkdir report
            id=$(docker create "$ONEPANE_IMAGE")
            docker cp "$id:/usr/bin/onepane" ../onepane
            docker rm "$id"
            ../onepane render --check
            ../onepane check
            ../onepane plan "origin/$CHANGE_TARGET...HEAD" --output markdown > report/plan.md
            ../onepane ci run @CLUSTER@ --kubeconfig "$KUBECONFIG" --report report
          '''
        }
      }
      post {
        always {
          junit testResults: 'report/junit.xml', allowEmptyResults: true
          archiveArtifacts artifacts: 'report/**', allowEmptyArchive: true
          script {
            if (fileExists('report/report.md')) {
              publishChecks name: 'onepane', title: 'onepane ci', summary: readFile('report/report.md'),
                text: readFile('report/plan.md'),
                conclusion: currentBuild.currentResult == 'SUCCESS' ? 'SUCCESS' : 'FAILURE'
            }
          }
        }
      }
    }
  }
}
