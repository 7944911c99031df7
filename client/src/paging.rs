//! Paging: consecutive calls, each with the page token of the one before.

use std::future::Future;

use futures_util::stream::{self, TryStreamExt as _};

use crate::error::Error;
use crate::items::Items;

/// A page of a listing.
pub(crate) trait Page: Send + 'static {
    type Item: Send + 'static;

    fn next_page_token(&self) -> &str;
    fn into_items(self) -> Vec<Self::Item>;
}

/// All pages. `fetch` takes a page token, which is empty for the first page.
pub(crate) fn pages<P, F>(fetch: impl Fn(String) -> F + Send + 'static) -> Items<P>
where
    P: Page,
    F: Future<Output = Result<P, Error>> + Send + 'static,
{
    Items::new(stream::try_unfold(Some(String::new()), move |token| {
        let page = token.map(&fetch);
        async move {
            let Some(page) = page else { return Ok(None) };
            let page = page.await?;
            let token = Some(page.next_page_token()).filter(|token| !token.is_empty()).map(str::to_owned);
            Ok(Some((page, token)))
        }
    }))
}

/// The items of all pages.
pub(crate) fn items<P: Page>(pages: Items<P>) -> Items<P::Item> {
    Items::new(pages.map_ok(|page| stream::iter(page.into_items().into_iter().map(Ok))).try_flatten())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;
    use crate::error::Code;

    impl Page for (Vec<u32>, &'static str) {
        type Item = u32;

        fn next_page_token(&self) -> &str {
            self.1
        }

        fn into_items(self) -> Vec<u32> {
            self.0
        }
    }

    async fn fetch(token: String) -> Result<(Vec<u32>, &'static str), Error> {
        match token.as_str() {
            "" => Ok((vec![1, 2], "b")),
            "b" => Ok((vec![], "c")),
            "c" => Ok((vec![3], "")),
            _ => Err(Error::local(Code::InvalidArgument, "no such page")),
        }
    }

    #[tokio::test]
    async fn all_pages_are_fetched_also_empty_ones() {
        assert_eq!(items(pages(fetch)).collect().await.unwrap(), [1, 2, 3]);
        assert_eq!(pages(fetch).collect().await.unwrap().len(), 3);
    }

    #[tokio::test]
    async fn an_error_ends_the_stream() {
        let mut numbers = items(pages(|token: String| async move {
            if token.is_empty() { Ok((vec![1], "broken")) } else { fetch(token).await }
        }));
        assert_eq!(numbers.next().await.unwrap().unwrap(), 1);
        assert!(numbers.next().await.unwrap().is_err());
        assert!(numbers.next().await.is_none());
    }
}
