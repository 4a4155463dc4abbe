use super::super::aws::is_signed;
use super::*;

const ROLE: &str = "arn:aws:iam::123456789012:role/r";

fn no(kind: &str) -> Answer {
    (400, json!({"__type": format!("com.amazon#{kind}"), "Message": "no"}).to_string())
}

fn is_user(asked: &Asked, service: &str) -> bool {
    is_signed(asked, service, "AKIDEXAMPLE", "wJalrXUtnFEMI", "")
        || is_signed(asked, service, "ASIAROLE", "hush", "hush token")
}

fn secrets(asked: &Asked) -> Answer {
    if !is_user(asked, "secretsmanager") || asked.header("x-amz-target") != "secretsmanager.GetSecretValue" {
        return no("AccessDeniedException");
    }
    let request = asked.json();
    let role = asked.header("x-amz-security-token") == "hush token";
    let answer = match request["SecretId"].as_str().unwrap_or_default() {
        "db" if request["VersionStage"] == "AWSPREVIOUS" => json!({"SecretString": "older"}),
        "db" if request["VersionId"] == "v" => json!({"SecretString": "by id"}),
        "db" if role => json!({"SecretString": "of the role"}),
        "db" | "arn:aws:secretsmanager:eu-west-1:1:secret:db" => json!({"SecretString": "a: hush"}),
        "binary" => json!({"SecretBinary": "aHVzaA=="}),
        "malformed" => json!({"SecretBinary": "hush!"}),
        "empty" => json!({"Name": "hush"}),
        _ => return no("ResourceNotFoundException"),
    };
    (200, answer.to_string())
}

fn parameters(asked: &Asked) -> Answer {
    if !is_user(asked, "ssm") {
        return no("AccessDeniedException");
    }
    let request = asked.json();
    if request["WithDecryption"] != true {
        return no("ValidationException");
    }
    let parameter = |name: &str, value: &str| json!({"Name": name, "Value": value});
    let answer = match (asked.header("x-amz-target"), &request["NextToken"], request["Recursive"] == true) {
        ("AmazonSSM.GetParameter", ..) => match request["Name"].as_str().unwrap_or_default() {
            "/app/db" => json!({"Parameter": {"Name": "/app/db", "Value": "a: hush"}}),
            "/app/db:3" => json!({"Parameter": {"Name": "/app/db", "Value": "third"}}),
            _ => return no("ParameterNotFound"),
        },
        ("AmazonSSM.GetParametersByPath", ..) if request["Path"] != "/app" => json!({"Parameters": []}),
        ("AmazonSSM.GetParametersByPath", Value::Null, _) => {
            json!({"Parameters": [parameter("/app/db", "hush")], "NextToken": "more"})
        }
        ("AmazonSSM.GetParametersByPath", _, false) => json!({"Parameters": [parameter("/app/user", "me")]}),
        ("AmazonSSM.GetParametersByPath", ..) => {
            json!({"Parameters": [parameter("/app/db/host", "h"), parameter("/app/user", "me")]})
        }
        _ => return no("UnknownOperationException"),
    };
    (200, answer.to_string())
}

fn endpoints() -> Endpoints {
    let [secrets, parameters, sts] =
        [secrets, parameters, super::super::aws::sts].map(|answer| Server::start(answer).url);
    Endpoints {
        aws_secrets: Some(secrets),
        aws_parameters: Some(parameters),
        aws_sts: Some(sts),
        ..Endpoints::default()
    }
}

fn user() -> MemoryWorld {
    let world = MemoryWorld::new().with_env("HOME", "/h").with_env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE");
    world.with_env("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI").with_env("AWS_REGION", "eu-west-1")
}

#[test]
fn secrets_of_the_manager_are_read() {
    let world = user();
    let keys = CloudKeys::new(&world, endpoints(), Programs::Refused);
    for (reference, wanted) in [
        ("db", "a: hush"),
        ("db#", "a: hush"),
        ("arn:aws:secretsmanager:eu-west-1:1:secret:db", "a: hush"),
        ("db?version_stage=AWSPREVIOUS", "older"),
        ("db?version_id=v", "by id"),
        ("binary", "hush"),
        // A profile that is not there counts as none.
        ("db?profile=none", "a: hush"),
        (&format!("db?role_arn={ROLE}"), "of the role"),
    ] {
        assert_eq!(asked(&keys, Keeper::AwsSecrets, reference), Ok(wanted.into()), "{reference}");
    }
    for (reference, wanted) in [
        ("none", "says 400 Bad Request: ResourceNotFoundException no"),
        ("malformed", "AWS Secrets Manager answers without a secret"),
        ("empty", "AWS Secrets Manager answers without a secret"),
        ("db?region=evil.example/", "`evil.example/` is no region of AWS"),
        ("db?role_arn=other", "AWS STS"),
        // It is signed for another region than that of the server.
        ("db?region=us-east-1", "AccessDeniedException"),
    ] {
        refused(&keys, Keeper::AwsSecrets, reference, wanted);
    }
    let wrong = user().with_env("AWS_SECRET_ACCESS_KEY", "hush");
    refused(
        &CloudKeys::new(&wrong, endpoints(), Programs::Refused),
        Keeper::AwsSecrets,
        "db",
        "AccessDeniedException no",
    );
}

#[test]
fn regions_and_profiles_are_found_where_aws_has_them() {
    let world = MemoryWorld::new().with_env("HOME", "/h");
    let profile = |name: &str| {
        format!(
            "[{name}]\nregion = eu-west-1\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = wJalrXUtnFEMI\n"
        )
    };
    let files = world.clone().with("/h/.aws/config", profile("profile team"));
    let keys = CloudKeys::new(&files, endpoints(), Programs::Refused);
    assert_eq!(asked(&keys, Keeper::AwsSecrets, "db?profile=team"), Ok("a: hush".into()));
    refused(&keys, Keeper::AwsSecrets, "db", "no region of AWS is named");
    let forced = files.with_env("AWS_PROFILE", "team").with_env("FORCE_AWS_PROFILE", "true");
    let forced = forced.with_env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE").with_env("AWS_SECRET_ACCESS_KEY", "hush");
    let keys = CloudKeys::new(&forced, endpoints(), Programs::Refused);
    assert_eq!(asked(&keys, Keeper::AwsSecrets, "db"), Ok("a: hush".into()));
    let nobody = world.with_env("AWS_DEFAULT_REGION", "eu-west-1");
    let keys = CloudKeys::new(&nobody, endpoints(), Programs::Refused);
    refused(&keys, Keeper::AwsSecrets, "db", "there are no AWS credentials");
}

#[test]
fn parameters_are_read_alone_and_by_path() {
    let world = user();
    let keys = CloudKeys::new(&world, endpoints(), Programs::Refused);
    for (reference, wanted) in [
        ("app/db", json!("a: hush")),
        ("/app/db", json!("a: hush")),
        ("app/db?version=3", json!("third")),
        ("app/db?mode=singleparam#", json!("a: hush")),
        ("app#", json!({"db": "hush", "user": "me"})),
        ("app?recursive=true#", json!({"db": {"host": "h"}, "user": "me"})),
    ] {
        assert_eq!(asked(&keys, Keeper::AwsParameters, reference), Ok(wanted), "{reference}");
    }
    for (reference, wanted) in [
        ("app/none", "says 400 Bad Request: ParameterNotFound no"),
        ("none#", "AWS Systems Manager has no parameters below `/none`"),
        ("app/db?version=x", "the version of a parameter is a number"),
    ] {
        refused(&keys, Keeper::AwsParameters, reference, wanted);
    }
}
