/**
 * A ZIP archive of files that are compressed already (PKWARE APPNOTE 6.3, method 0 "stored"). Pure.
 *
 * @typedef {{name: string, bytes: Uint8Array}} ZipEntry name: with "/" between folders
 */

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let value = n;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});

/** Bit 11: names are UTF-8. */
const UTF8_NAMES = 0x0800;
const VERSION = 20;
/** Larger archives need ZIP64, which we do not write. */
export const MAX_ZIP_BYTES = 2 ** 32 - 1;
export const MAX_ZIP_ENTRIES = 65_535;

/** @param {Uint8Array} bytes @returns {number} CRC-32 as ZIP has it */
export function crc32(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = CRC_TABLE[(crc ^ byte) & 0xff] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

/**
 * @param {readonly ZipEntry[]} entries
 * @param {Date} date of all of them
 * @returns {Uint8Array[]} the archive, in parts
 * @throws {RangeError} too many or too large for a plain ZIP
 */
export function zipParts(entries, date) {
  const parts = [];
  const directory = [];
  let offset = 0;
  for (const entry of entries) {
    const facts = { name: new TextEncoder().encode(entry.name), size: entry.bytes.length, crc: crc32(entry.bytes), offset, date };
    const header = localHeader(facts);
    directory.push(centralHeader(facts));
    parts.push(header, entry.bytes);
    offset += header.length + entry.bytes.length;
  }
  if (entries.length > MAX_ZIP_ENTRIES || offset > MAX_ZIP_BYTES) {
    throw new RangeError("So many pictures do not fit one ZIP file. Download them in smaller groups.");
  }
  const length = directory.reduce((sum, header) => sum + header.length, 0);
  return [...parts, ...directory, endRecord(entries.length, length, offset)];
}

function localHeader({ name, size, crc, date }) {
  const header = new DataView(new ArrayBuffer(30));
  header.setUint32(0, 0x04034b50, true);
  writeCommon(header, 4, { name, size, crc, date });
  return joined(header, name);
}

function centralHeader({ name, size, crc, offset, date }) {
  const header = new DataView(new ArrayBuffer(46));
  header.setUint32(0, 0x02014b50, true);
  header.setUint16(4, VERSION, true);
  writeCommon(header, 6, { name, size, crc, date });
  header.setUint32(42, offset, true);
  return joined(header, name);
}

/** Version needed to lengths of name and extra field: the same in both headers. */
function writeCommon(header, at, { name, size, crc, date }) {
  header.setUint16(at, VERSION, true);
  header.setUint16(at + 2, UTF8_NAMES, true);
  header.setUint16(at + 6, (date.getHours() << 11) | (date.getMinutes() << 5) | (date.getSeconds() >> 1), true);
  header.setUint16(at + 8, ((date.getFullYear() - 1980) << 9) | ((date.getMonth() + 1) << 5) | date.getDate(), true);
  header.setUint32(at + 10, crc, true);
  header.setUint32(at + 14, size, true);
  header.setUint32(at + 18, size, true);
  header.setUint16(at + 22, name.length, true);
}

function endRecord(count, length, offset) {
  const record = new DataView(new ArrayBuffer(22));
  record.setUint32(0, 0x06054b50, true);
  record.setUint16(8, count, true);
  record.setUint16(10, count, true);
  record.setUint32(12, length, true);
  record.setUint32(16, offset, true);
  return new Uint8Array(record.buffer);
}

function joined(view, name) {
  const bytes = new Uint8Array(view.byteLength + name.length);
  bytes.set(new Uint8Array(view.buffer));
  bytes.set(name, view.byteLength);
  return bytes;
}
