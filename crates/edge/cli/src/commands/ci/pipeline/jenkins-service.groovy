// Tests each change of @SERVICE@ among the other services before it is merged.
// Written by `onepane ci pipeline jenkins --service @SERVICE@`, and yours to change.
//
// What it needs: agents with the label `docker`, and of Jenkins
//   environment variable ONEPANE_IMAGE   an image that has onepane at /usr/bin/onepane
//   environment variable GITOPS_URL      the repository of all that runs
//   credentials registry                 a user and password that may push @IMAGE@
//   credentials gitops                   may read that repository
//   credentials kubeconfig-@CLUSTER@     a file with the context that onepane.yaml there names for @CLUSTER@
//   plugins JUnit and Checks API
// What has passed is not promoted here; `onepane promote FROM TO` in the repository of all that runs does that.
pipeline {
  agent { label 'docker' }
  options {
    timeout(time: 45, unit: 'MINUTES')
    disableConcurrentBuilds(abortPrevious: true)
  }
  environment {
    IMAGE = "@IMAGE@:${env.GIT_COMMIT}"
  }
  stages {
    stage('Image') {
      steps {
        withCredentials([usernamePassword(credentialsId: 'registry', usernameVariable: 'REGISTRY_USER', passwordVariable: 'REGISTRY_PASSWORD')]) {
          sh '''
            docker build --tag "$IMAGE" .
            printf %s "$REGISTRY_PASSWORD" | docker login --username "$REGISTRY_USER" --password-stdin @REGISTRY@
            docker push "$IMAGE"
          '''
        }
      }
    }
    stage('Integration') {
      steps {
        dir('gitops') {
          git url: env.GITOPS_URL, branch: 'main', credentialsId: 'gitops'
        }
        withCredentials([file(credentialsId: 'kubeconfig-@CLUSTER@', variable: 'KUBECONFIG')]) {
          sh '''
            rm -rf report
            id=$(docker create "$ONEPANE_IMAGE")
            docker cp "$id:/usr/bin/onepane" ./onepane
            docker rm "$id"
            ./onepane -C gitops ci run @CLUSTER@ --service @SERVICE@ --image "$IMAGE" --kubeconfig "$KUBECONFIG" --report report
          '''
        }
      }
      post {
        always {
          junit testResults: 'report/junit.xml', allowEmptyResults: true
          archiveArtifacts artifacts: 'report/**', allowEmptyArchive: true
          script {
            if (fileExists('report/report.md')) {
              publishChecks name: 'integration', title: 'onepane ci', summary: readFile('report/report.md'),
                conclusion: currentBuild.currentResult == 'SUCCESS' ? 'SUCCESS' : 'FAILURE'
            }
          }
        }
      }
    }
  }
}
