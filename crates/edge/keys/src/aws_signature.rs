//! AWS's signatures of requests, version 4.

use hmac::{Hmac, Mac};
use onepane_sops::Secret;
use sha2::{Digest, Sha256};

/// Who signs.
#[derive(Clone, Debug)]
pub(crate) struct Credentials {
    pub(crate) access_key: String,
    pub(crate) secret_key: Secret,
    /// For credentials that end after a while.
    pub(crate) session_token: Option<Secret>,
}

/// What is signed.
pub(crate) struct Signed<'a> {
    pub(crate) region: &'a str,
    pub(crate) service: &'a str,
    /// `20150830T123600Z`
    pub(crate) time: &'a str,
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    /// Names in small letters.
    pub(crate) headers: &'a [(&'a str, &'a str)],
    pub(crate) body: &'a [u8],
}

impl Signed<'_> {
    /// The header `Authorization`.
    pub(crate) fn authorization(&self, credentials: &Credentials) -> String {
        let mut headers = self.headers.to_vec();
        headers.sort_unstable();
        let names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
        let names = names.join(";");
        let lines: String = headers.iter().map(|(name, value)| format!("{name}:{}\n", value.trim())).collect();
        // There is no query.
        let request = [self.method, self.path, "", &lines, &names, &hex(&Sha256::digest(self.body))].join("\n");
        let date = self.time.get(..8).unwrap_or_default();
        let scope = format!("{date}/{}/{}/aws4_request", self.region, self.service);
        let text = format!("AWS4-HMAC-SHA256\n{}\n{scope}\n{}", self.time, hex(&Sha256::digest(request)));
        let start = Secret::new([b"AWS4", credentials.secret_key.reveal()].concat());
        let key = [date, self.region, self.service, "aws4_request"]
            .iter()
            .fold(start, |key, part| Secret::new(keyed(key.reveal(), part.as_bytes())));
        let signature = hex(&keyed(key.reveal(), text.as_bytes()));
        let who = &credentials.access_key;
        format!("AWS4-HMAC-SHA256 Credential={who}/{scope}, SignedHeaders={names}, Signature={signature}")
    }
}

fn keyed(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("it takes keys of any length");
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_of_aws_s_own_test_suite_are_signed_as_it_says() {
        let credentials = Credentials {
            access_key: "AKIDEXAMPLE".to_owned(),
            secret_key: Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
            session_token: None,
        };
        for (method, signature) in [
            ("GET", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
            ("POST", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        ] {
            let headers = [("x-amz-date", "20150830T123600Z"), ("host", "example.amazonaws.com")];
            let signed = Signed {
                region: "us-east-1",
                service: "service",
                time: "20150830T123600Z",
                method,
                path: "/",
                headers: &headers,
                body: b"",
            };
            let wanted = format!(
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
                 SignedHeaders=host;x-amz-date, Signature={signature}"
            );
            assert_eq!(signed.authorization(&credentials), wanted);
        }
    }
}
