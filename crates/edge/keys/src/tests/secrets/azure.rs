use super::super::azure::authority;
use super::*;

fn vault(asked: &Asked) -> Answer {
    let no = |status, code: &str| (status, json!({"error": {"code": code, "message": "no"}}).to_string());
    if asked.header("authorization") != "Bearer hush" || asked.method != "GET" {
        return no(401, "Unauthorized");
    }
    let value = match asked.path.as_str() {
        "/secrets/db?api-version=7.4" => json!({"value": "a: hush", "id": "https://v.vault.azure.net/secrets/db/2"}),
        "/secrets/db/1?api-version=7.4" => json!({"value": "older"}),
        "/secrets/malformed?api-version=7.4" => json!({"value": ["hush"]}),
        _ => return no(404, "SecretNotFound"),
    };
    (200, value.to_string())
}

fn endpoints() -> Endpoints {
    let (vault, authority) = (Server::start(vault).url, Server::start(authority).url);
    Endpoints { azure_vault: Some(vault), azure_authority: Some(authority), ..Endpoints::default() }
}

fn client() -> MemoryWorld {
    MemoryWorld::new().with_env("AZURE_TENANT_ID", "tenant").with_env("AZURE_CLIENT_ID", "client")
}

#[test]
fn secrets_of_a_vault_are_read() {
    let world = client().with_env("AZURE_CLIENT_SECRET", "hush secret");
    let workload = client().with_env("AZURE_FEDERATED_TOKEN_FILE", "/t").with("/t", "hush jwt\n");
    for world in [world, workload.with_env("AZKV_AUTH", "workload")] {
        let keys = CloudKeys::new(&world, endpoints(), Programs::Refused);
        for (reference, wanted) in
            [("v/db", "a: hush"), ("v/db#", "a: hush"), ("v/db/1", "older"), ("v.vault.azure.net/db/", "a: hush")]
        {
            assert_eq!(asked(&keys, Keeper::AzureKeyVault, reference), Ok(wanted.into()), "{reference}");
        }
        for (reference, wanted) in [
            ("v/none", "says 404 Not Found: SecretNotFound no"),
            ("v/malformed", "Azure Key Vault answers without a value"),
            ("v", "is no secret like VAULT/NAME or VAULT/NAME/VERSION"),
            ("v/a/b/c", "is no secret like VAULT/NAME or VAULT/NAME/VERSION"),
            ("v/a b", "is no name of a secret"),
            ("/db", "is no name of a secret"),
            ("evil.example/db", "is no vault of Azure, and no token is sent to it"),
            ("v.vault.azure.net:80/db", "is no vault of Azure, and no token is sent to it"),
        ] {
            refused(&keys, Keeper::AzureKeyVault, reference, wanted);
        }
        assert_eq!(keys.token_count(), 1);
    }
}

#[test]
fn whose_credentials_are_wrong_or_none_gets_no_secret() {
    for (world, wanted) in [
        (client().with_env("AZURE_CLIENT_SECRET", "hush other"), "Invalid client secret"),
        (client(), "there are no Azure credentials: AZURE_CLIENT_SECRET is not set"),
        (client().with_env("AZURE_FEDERATED_TOKEN_FILE", "/none"), "there is no `/none`"),
        (client().with_env("AZKV_AUTH", "cli"), "AZKV_AUTH says `cli`, which is not supported"),
    ] {
        let keys = CloudKeys::new(&world, endpoints(), Programs::Refused);
        refused(&keys, Keeper::AzureKeyVault, "v/db", wanted);
    }
}
