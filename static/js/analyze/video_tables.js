/** Makes one table of those of several videos. */

/** A table's header is shorter. */
const HEAD_BYTES = 16_384;

/**
 * @param {readonly Blob[]} tables CSV with the same header; the session column names the video
 * @returns {Promise<Blob>} all rows below one header
 */
export async function joinTables(tables) {
  const [first, ...others] = tables;
  return new Blob([first, ...(await Promise.all(others.map(rowsOf)))], { type: "text/csv" });
}

/** Names of columns are ASCII: characters are bytes. */
async function rowsOf(table) {
  const head = await table.slice(0, HEAD_BYTES).text();
  return table.slice(head.indexOf("\n") + 1);
}
