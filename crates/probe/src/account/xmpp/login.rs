//! From a connection to a login: STARTTLS, SASL, the resource (RFC 6120, 5 to 7).

use super::element::{Element, escaped};
use super::stream::{Stream, condition};
use super::{Security, Xmpp};
use crate::account::wire::{connect, host, secure};
use crate::account::{Fault, Password, Wire};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use sasl::client::Mechanism;
use sasl::client::mechanisms::{Plain, Scram};
use sasl::common::scram::{Sha1, Sha256};
use sasl::common::{ChannelBinding, Credentials};

const TLS: &str = "urn:ietf:params:xml:ns:xmpp-tls";
const SASL: &str = "urn:ietf:params:xml:ns:xmpp-sasl";
const BIND: &str = "urn:ietf:params:xml:ns:xmpp-bind";

/// A stream that is logged in, with the name that the server gave us.
pub(super) async fn log_in(account: &Xmpp) -> Result<(Stream, String), Fault> {
    let unfit = |what: &str, like: &str| Fault::Unfit(format!("{what:?} is no {like}"));
    let (user, domain) =
        account.user().ok_or_else(|| unfit(&account.jid, "account, such as alice@chat.example"))?;
    let usual = match account.security {
        Security::DirectTls(_) => format!("{domain}:5223"),
        _ => format!("{domain}:5222"),
    };
    let server = account.server.as_ref().unwrap_or(&usual);
    host(server).ok_or_else(|| unfit(server, "HOST:PORT, such as chat.example:5222"))?;
    let tcp = connect(server).await?;
    let wire: Box<dyn Wire> = match &account.security {
        Security::DirectTls(roots) => Box::new(secure(tcp, domain, roots).await?),
        _ => Box::new(tcp),
    };
    let (mut stream, mut features) = Stream::new(wire).open(domain).await?;
    if let Security::StartTls(roots) = &account.security {
        let secured = start_tls(stream, &features, server).await?.secure(domain, roots).await?;
        (stream, features) = secured.open(domain).await?;
    }
    authenticate(&mut stream, &features, user, &account.password).await?;
    (stream, _) = stream.open(domain).await?;
    let jid = bind(&mut stream).await?;
    stream.put("<presence/>");
    stream.flush().await?;
    Ok((stream, jid))
}

async fn start_tls(mut stream: Stream, features: &Element, server: &str) -> Result<Stream, Fault> {
    let refused = || Fault::Refused(format!("{server} offers no TLS; --plaintext would do without"));
    features.child("starttls").ok_or_else(refused)?;
    stream.put(&format!("<starttls xmlns='{TLS}'/>"));
    if stream.read().await?.is("proceed", TLS) { Ok(stream) } else { Err(refused()) }
}

/// The best mechanism that the server offers: SCRAM does not show it the password.
fn mechanism(features: &Element, user: &str, password: &Password) -> Option<Box<dyn Mechanism>> {
    let offered = &features.child("mechanisms")?.children;
    let offers = |name: &str| offered.iter().any(|mechanism| mechanism.text == name);
    let credentials = |user: String| {
        Credentials::default()
            .with_username(user)
            .with_password(password.reveal())
            .with_channel_binding(ChannelBinding::None)
    };
    // RFC 5802, 5.1.
    let scram = || credentials(user.replace('=', "=3D").replace(',', "=2C"));
    if offers("SCRAM-SHA-256") {
        return Some(Box::new(Scram::<Sha256>::from_credentials(scram()).ok()?));
    }
    if offers("SCRAM-SHA-1") {
        return Some(Box::new(Scram::<Sha1>::from_credentials(scram()).ok()?));
    }
    let plain = || Plain::from_credentials(credentials(user.to_owned())).ok();
    offers("PLAIN").then(plain).flatten().map(|plain| Box::new(plain) as Box<dyn Mechanism>)
}

async fn authenticate(
    stream: &mut Stream,
    features: &Element,
    user: &str,
    password: &Password,
) -> Result<(), Fault> {
    let mut mechanism = mechanism(features, user, password)
        .ok_or_else(|| Fault::Refused("the server offers neither SCRAM nor PLAIN".into()))?;
    let initial = BASE64.encode(mechanism.initial());
    stream.put(&format!("<auth xmlns='{SASL}' mechanism='{}'>{initial}</auth>", mechanism.name()));
    loop {
        let answer = stream.read().await?;
        let told = || BASE64.decode(answer.text.trim()).unwrap_or_default();
        let dishonest = |error| Fault::Refused(format!("the server does not prove itself: {error}"));
        match answer.name.as_str() {
            "challenge" => {
                let response = BASE64.encode(mechanism.response(&told()).map_err(dishonest)?);
                stream.put(&format!("<response xmlns='{SASL}'>{response}</response>"));
            }
            "success" => return mechanism.success(&told()).map_err(dishonest),
            "failure" => return Err(Fault::Refused(condition(&answer))),
            _ => {}
        }
    }
}

/// Has the server give this connection its name.
async fn bind(stream: &mut Stream) -> Result<String, Fault> {
    stream.put(&format!("<iq type='set' id='bind'><bind xmlns='{BIND}'/></iq>"));
    loop {
        let answer = stream.read().await?;
        if answer.attribute("id") != Some("bind") {
            continue;
        }
        let jid = answer.child("bind").and_then(|bind| bind.child("jid"));
        return match jid {
            Some(jid) => Ok(jid.text.clone()),
            None => Err(Fault::Refused(answer.child("error").map_or_else(|| "no name".into(), condition))),
        };
    }
}

/// A question to the server that is always answered, if only with an error (XEP-0199).
pub(super) fn ping(domain: &str, token: &str) -> String {
    format!("<iq type='get' to='{}' id='{token}'><ping xmlns='urn:xmpp:ping'/></iq>", escaped(domain))
}
