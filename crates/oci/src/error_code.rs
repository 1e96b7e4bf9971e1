//! The error codes of the distribution specification ("Error Codes"), and the body that carries them.
//!
//! What a caller is told stands here; what caused it, and which HTTP status goes with it, does not.

use serde::Serialize;

/// An error code. The first fourteen are the specification's, in its order: refusals have no others, except the one for
/// tags, which it names among Docker's older ones. What fails on our side has codes of Docker's registry, as the
/// specification has none for that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// code-1: a blob is not in this repository.
    BlobUnknown,
    /// code-2: an upload cannot go on as asked.
    BlobUploadInvalid,
    /// code-3: there is no such upload.
    BlobUploadUnknown,
    /// code-4: a digest is malformed, or not that of the content.
    DigestInvalid,
    /// code-5: a manifest names a blob or a manifest that is not in this repository.
    ManifestBlobUnknown,
    /// code-6: a manifest is not one that can be accepted.
    ManifestInvalid,
    /// code-7: a manifest is not in this repository.
    ManifestUnknown,
    /// code-8: a repository's name is malformed.
    NameInvalid,
    /// code-9: there is no such repository, or the caller may not know of it.
    NameUnknown,
    /// code-10: a body is longer or shorter than was promised, or than is allowed.
    SizeInvalid,
    /// code-11: the caller has to sign in.
    Unauthorized,
    /// code-12: the caller may not do this.
    Denied,
    /// code-13: this registry does not do this.
    Unsupported,
    /// code-14: the caller has to wait.
    TooManyRequests,
    /// A tag is malformed.
    TagInvalid,
    /// The registry cannot answer now.
    Unavailable,
    /// The registry has failed.
    Unknown,
}

impl ErrorCode {
    /// Every code, in the order of the enum.
    pub const ALL: [ErrorCode; 17] = [
        ErrorCode::BlobUnknown,
        ErrorCode::BlobUploadInvalid,
        ErrorCode::BlobUploadUnknown,
        ErrorCode::DigestInvalid,
        ErrorCode::ManifestBlobUnknown,
        ErrorCode::ManifestInvalid,
        ErrorCode::ManifestUnknown,
        ErrorCode::NameInvalid,
        ErrorCode::NameUnknown,
        ErrorCode::SizeInvalid,
        ErrorCode::Unauthorized,
        ErrorCode::Denied,
        ErrorCode::Unsupported,
        ErrorCode::TooManyRequests,
        ErrorCode::TagInvalid,
        ErrorCode::Unavailable,
        ErrorCode::Unknown,
    ];

    /// The code as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            ErrorCode::BlobUnknown => "BLOB_UNKNOWN",
            ErrorCode::BlobUploadInvalid => "BLOB_UPLOAD_INVALID",
            ErrorCode::BlobUploadUnknown => "BLOB_UPLOAD_UNKNOWN",
            ErrorCode::DigestInvalid => "DIGEST_INVALID",
            ErrorCode::ManifestBlobUnknown => "MANIFEST_BLOB_UNKNOWN",
            ErrorCode::ManifestInvalid => "MANIFEST_INVALID",
            ErrorCode::ManifestUnknown => "MANIFEST_UNKNOWN",
            ErrorCode::NameInvalid => "NAME_INVALID",
            ErrorCode::NameUnknown => "NAME_UNKNOWN",
            ErrorCode::SizeInvalid => "SIZE_INVALID",
            ErrorCode::Unauthorized => "UNAUTHORIZED",
            ErrorCode::Denied => "DENIED",
            ErrorCode::Unsupported => "UNSUPPORTED",
            ErrorCode::TooManyRequests => "TOOMANYREQUESTS",
            ErrorCode::TagInvalid => "TAG_INVALID",
            ErrorCode::Unavailable => "UNAVAILABLE",
            ErrorCode::Unknown => "UNKNOWN",
        }
    }

    /// What to say when there is nothing better to say: the specification's description, or Docker's.
    pub fn message(self) -> &'static str {
        match self {
            ErrorCode::BlobUnknown => "blob unknown to registry",
            ErrorCode::BlobUploadInvalid => "blob upload invalid",
            ErrorCode::BlobUploadUnknown => "blob upload unknown to registry",
            ErrorCode::DigestInvalid => "provided digest did not match uploaded content",
            ErrorCode::ManifestBlobUnknown => "manifest references a manifest or blob unknown to registry",
            ErrorCode::ManifestInvalid => "manifest invalid",
            ErrorCode::ManifestUnknown => "manifest unknown to registry",
            ErrorCode::NameInvalid => "invalid repository name",
            ErrorCode::NameUnknown => "repository name not known to registry",
            ErrorCode::SizeInvalid => "provided length did not match content length",
            ErrorCode::Unauthorized => "authentication required",
            ErrorCode::Denied => "requested access to the resource is denied",
            ErrorCode::Unsupported => "the operation is unsupported",
            ErrorCode::TooManyRequests => "too many requests",
            ErrorCode::TagInvalid => "invalid tag",
            ErrorCode::Unavailable => "service unavailable",
            ErrorCode::Unknown => "unknown error",
        }
    }
}

impl std::fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for ErrorCode {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// The body of an answer that tells of errors: `{"errors": [{"code", "message", "detail"}, …]}`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ErrorBody {
    /// What is wrong, one entry or more.
    pub errors: Vec<ErrorEntry>,
}

/// One error.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ErrorEntry {
    /// What programs go by.
    pub code: ErrorCode,
    /// What people read.
    pub message: String,
    /// More for programs, of any shape.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<serde_json::Value>,
}

impl ErrorEntry {
    /// An error with its code's own message and no detail.
    pub fn new(code: ErrorCode) -> ErrorEntry {
        ErrorEntry { code, message: code.message().to_owned(), detail: None }
    }

    /// The same with another message.
    pub fn with_message(self, message: impl Into<String>) -> ErrorEntry {
        ErrorEntry { message: message.into(), ..self }
    }

    /// The same with a detail.
    pub fn with_detail(self, detail: serde_json::Value) -> ErrorEntry {
        ErrorEntry { detail: Some(detail), ..self }
    }
}

impl From<ErrorEntry> for ErrorBody {
    fn from(entry: ErrorEntry) -> ErrorBody {
        ErrorBody { errors: vec![entry] }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{ErrorBody, ErrorCode, ErrorEntry};

    #[test]
    fn codes_are_those_of_the_specification() {
        let codes: Vec<&str> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
        let of_the_table = [
            "BLOB_UNKNOWN",
            "BLOB_UPLOAD_INVALID",
            "BLOB_UPLOAD_UNKNOWN",
            "DIGEST_INVALID",
            "MANIFEST_BLOB_UNKNOWN",
            "MANIFEST_INVALID",
            "MANIFEST_UNKNOWN",
            "NAME_INVALID",
            "NAME_UNKNOWN",
            "SIZE_INVALID",
            "UNAUTHORIZED",
            "DENIED",
            "UNSUPPORTED",
            "TOOMANYREQUESTS",
        ];
        assert_eq!(codes[..14], of_the_table);
        let unique: std::collections::BTreeSet<&str> = codes.iter().copied().collect();
        assert_eq!(unique.len(), codes.len());
        for code in ErrorCode::ALL {
            assert!(code.as_str().bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_'), "{code}");
            assert!(!code.message().is_empty());
        }
    }

    #[test]
    fn bodies_have_the_specifications_shape() {
        let plain = ErrorBody::from(ErrorEntry::new(ErrorCode::ManifestUnknown));
        let expected =
            json!({ "errors": [{ "code": "MANIFEST_UNKNOWN", "message": "manifest unknown to registry" }] });
        assert_eq!(serde_json::to_value(plain).ok(), Some(expected));

        let entry = ErrorEntry::new(ErrorCode::TooManyRequests)
            .with_message("slow down")
            .with_detail(json!({ "s": 1 }));
        let expected = json!({ "code": "TOOMANYREQUESTS", "message": "slow down", "detail": { "s": 1 } });
        assert_eq!(serde_json::to_value(entry).ok(), Some(expected));
    }
}
