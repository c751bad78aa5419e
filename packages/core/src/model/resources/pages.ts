/** Requests the pages of a list as they are read. A service that repeats a token ends it. */
export async function* readPages<Page extends { readonly nextPageToken?: string | undefined }>(
  get: (pageToken: string | undefined) => Promise<Page>,
): AsyncGenerator<Page, void, void> {
  let pageToken: string | undefined;
  do {
    const page = await get(pageToken);
    yield page;
    if (page.nextPageToken === pageToken) return;
    pageToken = page.nextPageToken;
  } while (pageToken);
}
