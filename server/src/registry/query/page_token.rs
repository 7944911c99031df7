//! Page tokens: where a listing goes on. Opaque, authenticated, and bound to the arguments of the listing (AIP-158).
//!
//! A token is sealed with a key that only this registry's journal knows, so nobody can read or make one, and it outlives
//! a restart. What is sealed with it, but not in it, are the arguments: another filter does not open it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use prost::Message;
use sha2::{Digest as _, Sha256};

use crate::registry::error::Error;

/// The most characters of a token that is looked at: far above what any listing makes.
const TOKEN_LENGTH_MAX: usize = 8_192;
const NONCE_LENGTH: usize = 24;

/// Makes and reads page tokens.
pub(crate) struct PageTokens {
    cipher: XChaCha20Poly1305,
}

/// Where a listing goes on.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Position {
    /// The revision that all pages show.
    #[prost(uint64, tag = "1")]
    pub(crate) revision: u64,
    /// The name of the last item that was answered: where it stands, it tells at that revision.
    #[prost(string, tag = "2")]
    pub(crate) name: String,
    /// How many items the whole listing has.
    #[prost(uint64, tag = "3")]
    pub(crate) total: u64,
}

impl PageTokens {
    /// Tokens sealed by a key derived from the secret seed of the journal, and good for one epoch of it.
    pub(crate) fn new(seed: &[u8; 32], epoch: u64) -> Self {
        let key = Sha256::new_with_prefix(b"page token key 3")
            .chain_update(seed)
            .chain_update(epoch.to_le_bytes())
            .finalize();
        Self { cipher: XChaCha20Poly1305::new(&key) }
    }

    /// The token of a position in the listing of these arguments.
    pub(crate) fn seal(&self, position: &Position, arguments: &[&[u8]]) -> Result<String, Error> {
        let mut nonce = [0; NONCE_LENGTH];
        getrandom::fill(&mut nonce).map_err(|_| Error::PageToken("could not be made"))?;
        let bound = bind(arguments);
        let payload = Payload { msg: &position.encode_to_vec(), aad: &bound };
        let sealed =
            self.cipher.encrypt(&XNonce::from(nonce), payload).map_err(|_| Error::PageToken("could not be made"))?;
        Ok(BASE64.encode([nonce.as_slice(), &sealed].concat()))
    }

    /// The position of a token.
    pub(crate) fn open(&self, token: &str, arguments: &[&[u8]]) -> Result<Position, Error> {
        const RULE: Error = Error::PageToken(
            "is not a token of this registry for these arguments; send the next_page_token as it was answered, with all \
             arguments but page_size unchanged",
        );
        if token.len() > TOKEN_LENGTH_MAX {
            return Err(RULE);
        }
        let bytes = BASE64.decode(token).map_err(|_| RULE)?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE_LENGTH>().ok_or(RULE)?;
        let payload = Payload { msg: sealed, aad: &bind(arguments) };
        let opened = self.cipher.decrypt(&XNonce::from(*nonce), payload).map_err(|_| RULE)?;
        Position::decode(opened.as_slice()).map_err(|_| RULE)
    }
}

/// All arguments as one value, in which no two lists of arguments are the same.
fn bind(arguments: &[&[u8]]) -> Vec<u8> {
    let mut hash = Sha256::new();
    for argument in arguments {
        hash.update((argument.len() as u64).to_le_bytes());
        hash.update(argument);
    }
    hash.finalize().to_vec()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn a_token_opens_only_whole_and_with_its_arguments() {
        let tokens = PageTokens::new(&[7; 32], 1);
        let position = Position { revision: 9, name: "countries/kr".into(), total: 3 };
        let token = tokens.seal(&position, &[b"countries", b"filter"]).unwrap();
        assert_eq!(tokens.open(&token, &[b"countries", b"filter"]).unwrap(), position);
        assert!(!String::from_utf8_lossy(&BASE64.decode(&token).unwrap()).contains("countries"), "it is opaque");
        for arguments in [&[b"countries".as_slice(), b"other"][..], &[b"countriesfilter"], &[]] {
            tokens.open(&token, arguments).unwrap_err();
        }
        for other in [PageTokens::new(&[8; 32], 1), PageTokens::new(&[7; 32], 2)] {
            other.open(&token, &[b"countries", b"filter"]).unwrap_err();
        }
        for at in 0..token.len() {
            let mut broken = token.clone().into_bytes();
            broken[at] = if broken[at] == b'A' { b'B' } else { b'A' };
            let broken = String::from_utf8(broken).unwrap();
            // The last character holds bits that say nothing; a strict decoder refuses them, and so does the seal.
            tokens.open(&broken, &[b"countries", b"filter"]).unwrap_err();
        }
    }
}
