// Tests each change of @SERVICE@ among the other services before it is merged, and brings to @CLUSTER@ what was merged.
// Written by `onepane ci pipeline jenkins --service @SERVICE@`, and yours to change. It is for a multibranch project.
//
// What it needs: agents with the label `docker`, and of Jenkins
//   environment variable ONEPANE_IMAGE   an image that has onepane at /usr/bin/onepane
//   environment variable GITOPS_URL      the repository of all that runs, by https
//   credentials registry                 a user and password that may push @IMAGE@
//   credentials gitops                   a user and a token that may write that repository
//   credentials kubeconfig-@CLUSTER@     a file with the context that onepane.yaml there names for @CLUSTER@
//   plugins JUnit and Checks API
// From @CLUSTER@ on it is that repository which promotes, by `onepane promote`.
pipeline {
  agent { label 'docker' }
  options {
    timeout(time: 45, unit: 'MINUTES')
    disableConcurrentBuilds(abortPrevious: env.CHANGE_ID != null)
  }
  environment {
    IMAGE = "@IMAGE@:${env.GIT_COMMIT}"
  }
  stages {
    stage('Image') {
      steps {
        withCredentials([usernamePassword(credentialsId: 'registry', usernameVariable: 'REGISTRY_USER', passwordVariable: 'REGISTRY_PASSWORD')]) {
          sh '''
            docker build --label "org.opencontainers.image.revision=$GIT_COMMIT" --tag "$IMAGE" .
            printf %s "$REGISTRY_PASSWORD" | docker login --username "$REGISTRY_USER" --password-stdin @REGISTRY@
            docker push "$IMAGE"
          '''
        }
      }
    }
    stage('Integration') {
      steps {
        dir('gitops') {
          git url: env.GITOPS_URL, branch: '@GITOPS_BRANCH@', credentialsId: 'gitops'
        }
        withCredentials([file(credentialsId: 'kubeconfig-@CLUSTER@', variable: 'KUBECONFIG'),
                         usernamePassword(credentialsId: 'gitops', usernameVariable: 'GITOPS_USER', passwordVariable: 'GITOPS_TOKEN')]) {
          sh '''
            rm -rf report
            id=$(docker create "$ONEPANE_IMAGE")
            docker cp "$id:/usr/bin/onepane" ./onepane
            docker rm "$id"
            git -C gitops config user.name jenkins
            git -C gitops config user.email jenkins@localhost
            git -C gitops config credential.helper '!f() { echo "username=$GITOPS_USER"; echo "password=$GITOPS_TOKEN"; }; f'
            if [ "$BRANCH_NAME" = @BRANCH@ ]; then record=--record; else record=--record=local; fi
            ./onepane -C gitops ci run @CLUSTER@ --service @SERVICE@ --image "$IMAGE" "$record" \\
              --kubeconfig "$KUBECONFIG" --report report
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
    stage('Promote') {
      when { branch '@BRANCH@' }
      steps {
        dir('gitops/@PATH@') {
          checkout scm
        }
        withCredentials([usernamePassword(credentialsId: 'gitops', usernameVariable: 'GITOPS_USER', passwordVariable: 'GITOPS_TOKEN')]) {
          sh '''
            ./onepane -C gitops @PIN@ --in @CLUSTER@ --push
          '''
        }
      }
    }
  }
}
