//! The signature of a notice, as Standard Webhooks (standardwebhooks.com) has it: HMAC-SHA256, under the secret's bytes,
//! of id, time and body with dots between. Whoever receives it computes the same and compares; the time keeps what was
//! overheard from being sent again later.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;

use crate::webhooks::SECRET_PREFIX;
use crate::{Attempt, Error, Secret};

impl Attempt {
    /// The value of `webhook-id`: the same for a notice however often it is sent.
    #[must_use]
    pub fn message_id(&self) -> String {
        format!("msg_{}", self.notice.id)
    }

    /// The value of `webhook-signature` of `body`, sent at `now`.
    ///
    /// # Errors
    /// [`Error::Crypto`] for a secret that is not ours.
    pub fn signature(&self, body: &[u8], now: Timestamp) -> Result<String, Error> {
        signature(&self.secret, &self.message_id(), now, body)
    }
}

fn signature(secret: &Secret, id: &str, at: Timestamp, body: &[u8]) -> Result<String, Error> {
    let key = secret.reveal().strip_prefix(SECRET_PREFIX).and_then(|key| STANDARD.decode(key).ok());
    let key = key.ok_or_else(|| Error::crypto("not a webhook's secret"))?;
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, &key));
    context.update(format!("{id}.{}.", at.as_second()).as_bytes());
    context.update(body);
    Ok(format!("v1,{}", STANDARD.encode(context.sign())))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::signature;
    use crate::Secret;

    /// The example of the specification's own libraries.
    #[test]
    fn it_is_that_of_standard_webhooks() {
        let secret = Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let at = Timestamp::from_second(1_614_265_330).unwrap();
        let signed =
            signature(&secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, br#"{"test": 2432232314}"#).unwrap();
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert!(signature(&Secret::new("whsec_?"), "m", at, b"").is_err());
    }
}
