//! `genPrivateKey`, `genCA`, `genSignedCert` and their like, and the certificate as templates see it.

use super::certificate::{Issuer, Subject, sign};
use super::key::{Bits, Key};
use super::pem;
use crate::arguments::{Outcome, any, int, text};
use crate::date::Moment;
use crate::encodings::base64_decode;
use crate::random::Random;
use onepane_template::{Context, FunctionError, Type};
use onepane_value::{Data, Map, Object, Value};
use std::borrow::Cow;

/// The type of what `genCA` gives.
pub(super) const CERTIFICATE: Type = Type::Named(TYPE_NAME);
const TYPE_NAME: &str = "sprig.certificate";

/// A certificate and its key, both as PEM.
#[derive(Debug)]
struct Certificate {
    certificate: String,
    key: String,
}

impl Object for Certificate {
    fn type_name(&self) -> Cow<'static, str> {
        TYPE_NAME.into()
    }

    fn field(&self, name: &str) -> Option<Value> {
        match name {
            "Cert" => Some(self.certificate.as_str().into()),
            "Key" => Some(self.key.as_str().into()),
            _ => None,
        }
    }

    fn plain(&self) -> Value {
        ["Cert", "Key"].into_iter().filter_map(|name| Some((name, self.field(name)?))).collect::<Map>().into()
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}

pub(super) fn private_key(context: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let mut random = Random::new(context.world());
    let kind = text(arguments, 0)?.to_str();
    let key = match &*kind {
        "" | "rsa" => Key::rsa(Bits::B4096, &mut random),
        "dsa" => Ok(Key::dsa(&mut random)),
        "ecdsa" => Ok(Key::p256(&mut random)),
        "ed25519" => Ok(Key::ed25519(&mut random)),
        _ => return Ok(format!("Unknown type {kind}").into()),
    };
    // sprig makes no error of a failure.
    let pem = key.and_then(|key| key.to_pem());
    Ok(pem.unwrap_or_else(|error| format!("failed to generate private key: {error}")).into())
}

pub(super) fn authority(context: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let mut random = Random::new(context.world());
    let key = new_key(&mut random)?;
    authority_of(context, arguments, &key, &mut random)
}

pub(super) fn authority_with_key(context: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let key = given_key(arguments, 2)?;
    authority_of(context, arguments, &key, &mut Random::new(context.world()))
}

fn authority_of(context: &dyn Context, arguments: &[Value], key: &Key, random: &mut Random) -> Outcome {
    let common_name = text(arguments, 0)?.to_str();
    let (not_before, not_after) = validity(context, int(arguments, 1)?);
    let (addresses, dns_names) = (Vec::new(), Vec::new());
    let subject =
        Subject { common_name: &common_name, addresses, dns_names, is_authority: true, not_before, not_after };
    finish(&subject, key, None, key, random)
}

pub(super) fn self_signed(context: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let mut random = Random::new(context.world());
    let key = new_key(&mut random)?;
    leaf(context, arguments, &key, None, &mut random)
}

pub(super) fn self_signed_with_key(context: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let key = given_key(arguments, 4)?;
    leaf(context, arguments, &key, None, &mut Random::new(context.world()))
}

pub(super) fn signed(context: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let mut random = Random::new(context.world());
    let key = new_key(&mut random)?;
    let signer = signer(any(arguments, 4))?;
    leaf(context, arguments, &key, Some(&signer), &mut random)
}

pub(super) fn signed_with_key(context: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let key = given_key(arguments, 5)?;
    let signer = signer(any(arguments, 4))?;
    leaf(context, arguments, &key, Some(&signer), &mut Random::new(context.world()))
}

pub(super) fn build_custom(_: &mut dyn Context, arguments: &[Value]) -> Outcome {
    let certificate = base64_decode(text(arguments, 0)?).map_err(|_| "unable to decode base64 certificate")?;
    let key = base64_decode(text(arguments, 1)?).map_err(|_| "unable to decode base64 private key")?;
    let (_, der) = pem::decode(&certificate).ok_or("unable to decode certificate")?;
    Issuer::read(&der).map_err(|error| format!("error parsing certificate: decodedCert.Bytes: {error}"))?;
    Key::from_pem(&key).map_err(|error| format!("error parsing private key: {error}"))?;
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ok(Value::object(Certificate { certificate: text(certificate), key: text(key) }))
}

fn new_key(random: &mut Random) -> Result<Key, FunctionError> {
    Ok(Key::rsa(Bits::B2048, random).map_err(|error| format!("error generating rsa key: {error}"))?)
}

fn given_key(arguments: &[Value], index: usize) -> Result<Key, FunctionError> {
    Ok(Key::from_pem(text(arguments, index)?).map_err(|error| format!("parsing private key: {error}"))?)
}

/// The issuer and its key, out of the certificate of an authority.
fn signer(value: &Value) -> Result<(Issuer, Key), FunctionError> {
    let authority = match &value.data {
        Data::Object(object) => object.as_any().downcast_ref::<Certificate>(),
        _ => None,
    };
    let authority =
        authority.ok_or_else(|| format!("wrong type for value; expected {TYPE_NAME}; got {}", value.type_name()))?;
    let (_, der) = pem::decode(authority.certificate.as_bytes()).ok_or("unable to decode certificate")?;
    let issuer =
        Issuer::read(&der).map_err(|error| format!("error parsing certificate: decodedSignerCert.Bytes: {error}"))?;
    let key = Key::from_pem(authority.key.as_bytes()).map_err(|error| format!("error parsing private key: {error}"))?;
    Ok((issuer, key))
}

/// A certificate of a server or a client, signed by the signer or by itself.
fn leaf(
    context: &dyn Context,
    arguments: &[Value],
    key: &Key,
    signer: Option<&(Issuer, Key)>,
    random: &mut Random,
) -> Outcome {
    let common_name = text(arguments, 0)?.to_str();
    let addresses = strings(any(arguments, 1), "error parsing ip")?;
    let addresses = addresses
        .into_iter()
        .map(|address| address.parse().map_err(|_| FunctionError::Message(format!("error parsing ip: {address}"))));
    let addresses = addresses.collect::<Result<_, _>>()?;
    let dns_names = strings(any(arguments, 2), "error processing alternate dns name")?;
    let (not_before, not_after) = validity(context, int(arguments, 3)?);
    let subject =
        Subject { common_name: &common_name, addresses, dns_names, is_authority: false, not_before, not_after };
    match signer {
        Some((issuer, signer)) => finish(&subject, key, Some(issuer), signer, random),
        None => finish(&subject, key, None, key, random),
    }
}

fn finish(subject: &Subject<'_>, key: &Key, issuer: Option<&Issuer>, signer: &Key, random: &mut Random) -> Outcome {
    let der =
        sign(subject, key, issuer, signer, random).map_err(|error| format!("error creating certificate: {error}"))?;
    let key = key.to_pem().map_err(|error| format!("error pem-encoding key: {error}"))?;
    Ok(Value::object(Certificate { certificate: pem::encode("CERTIFICATE", &der), key }))
}

fn validity(context: &dyn Context, days: i64) -> (Moment, Moment) {
    const DAY: i64 = 86_400_000_000_000;
    let now = Moment::now(context.world());
    (now, now.after(days.wrapping_mul(DAY)))
}

/// The items of a list of strings; nil has none.
fn strings(value: &Value, what: &str) -> Result<Vec<String>, FunctionError> {
    let Some(list) = value.as_list() else { return Ok(Vec::new()) };
    let strings = list.iter().map(|item| match item.as_text() {
        Some(text) => Ok(text.to_str().into_owned()),
        None => Err(format!("{what}: {} is not a string", crate::display::verbatim(item)).into()),
    });
    strings.collect()
}
