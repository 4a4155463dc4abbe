// Checks each change of this repository: what it does to every cluster, and that the environment of @CLUSTER@ still works.
// Opens as pull requests what is to be promoted next.
// Written by `onepane ci pipeline jenkins`, and yours to change. It is for a multibranch project.
//
// What it needs: agents with the label `docker`, and of Jenkins
//   environment variable ONEPANE_IMAGE   an image that has onepane at /usr/bin/onepane
//   credentials kubeconfig-@CLUSTER@     a file with the context that onepane.yaml names for @CLUSTER@
//   credentials promote                  a user and a token that may push branches here, by https, and open pull requests
//   plugins JUnit and Checks API
// Where the name of the forge's host does not show its kind, `promote` needs `--forge github|gitlab|gitea`.
pipeline {
  agent { label 'docker' }
  options {
    timeout(time: 45, unit: 'MINUTES')
    disableConcurrentBuilds(abortPrevious: env.CHANGE_ID != null)
  }
  // Windows of onepane.yaml open without a push.
  triggers {
    cron(env.BRANCH_NAME == '@BRANCH@' ? 'H * * * *' : '')
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
    stage('Promote') {
      when { branch '@BRANCH@' }
      steps {
        withCredentials([usernamePassword(credentialsId: 'promote', usernameVariable: 'PROMOTE_USER', passwordVariable: 'PROMOTE_TOKEN')]) {
          sh '''
            id=$(docker create "$ONEPANE_IMAGE")
            docker cp "$id:/usr/bin/onepane" ../onepane
            docker rm "$id"
            git config user.name jenkins
            git config user.email jenkins@localhost
            git config credential.helper '!f() { echo "username=$PROMOTE_USER"; echo "password=$PROMOTE_TOKEN"; }; f'
            ../onepane promote @ALONG@ --push --pull-request
          '''
        }
      }
    }
  }
}
