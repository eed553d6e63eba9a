/** Reads what was dropped on the page: files, and folders with all that is in them. */

/**
 * @param {DataTransfer} transfer read at once: the browser empties it when the event is over
 * @returns {Promise<{files: File[], found: {path: string, file: File}[]}>} found: in
 *   folders
 */
export async function readDropped(transfer) {
  const items = [...transfer.items].filter(({ kind }) => kind === "file");
  const parts = items.map((item) => ({
    entry: item.webkitGetAsEntry?.() ?? null,
    file: item.getAsFile(),
  }));
  const files = parts.filter(({ entry }) => !entry?.isDirectory).map(({ file }) => file);
  const folders = parts.filter(({ entry }) => entry?.isDirectory).map(({ entry }) => entry);
  const found = await Promise.all(folders.map((folder) => readFolder(folder, folder.name)));
  return { files: files.filter(Boolean), found: found.flat() };
}

async function readFolder(folder, path) {
  const found = [];
  for (const entry of await listFolder(folder)) {
    const inside = `${path}/${entry.name}`;
    if (entry.isDirectory) found.push(...(await readFolder(entry, inside)));
    else found.push({ path: inside, file: await fileOf(entry) });
  }
  return found.filter(({ file }) => file !== null);
}

/** A folder tells its entries by the hundred, until it has no more. */
async function listFolder(folder) {
  const reader = folder.createReader();
  const all = [];
  for (;;) {
    const some = await new Promise((resolve) => reader.readEntries(resolve, () => resolve([])));
    if (some.length === 0)
      return all.sort((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }));
    all.push(...some);
  }
}

/** A file that cannot be opened is left out. */
const fileOf = (entry) => new Promise((resolve) => entry.file(resolve, () => resolve(null)));
