/**
 * The tar format (POSIX ustar), as much of it as a package of small files needs: so that the example asks nothing of the machine beside
 * Node. What `packFiles` writes, any `tar` reads. Times and owners are constant, so that the same files give the same bytes.
 */

/** A file in an archive. The path is relative, with forward slashes, at most 100 bytes. */
export interface ArchivedFile {
  readonly path: string;
  readonly content: Buffer;
}

const BLOCK_BYTES = 512;

/** An archive of the files, in the order given. */
export function packFiles(files: readonly ArchivedFile[]): Buffer {
  const parts = files.flatMap(({ path, content }) => [header(path, content.length), content, Buffer.alloc(padding(content.length))]);
  return Buffer.concat([...parts, Buffer.alloc(2 * BLOCK_BYTES)]);
}

/** The files of an archive. */
export function unpackFiles(archive: Buffer): ArchivedFile[] {
  const files: ArchivedFile[] = [];
  for (let at = 0; at + BLOCK_BYTES <= archive.length && archive[at] !== 0; ) {
    const path = textAt(archive, at, 100);
    const bytes = Number.parseInt(textAt(archive, at + 124, 12), 8);
    const begin = at + BLOCK_BYTES;
    if (path.split("/").includes("..") || path.startsWith("/")) throw new Error(`the archive wants to write outside its folder: ${path}`);
    files.push({ path, content: archive.subarray(begin, begin + bytes) });
    at = begin + bytes + padding(bytes);
  }
  return files;
}

function header(path: string, bytes: number): Buffer {
  if (Buffer.byteLength(path) > 100) throw new Error(`the path is too long for this archive: ${path}`);
  const block = Buffer.alloc(BLOCK_BYTES);
  const octal = (value: number, digits: number): string => `${value.toString(8).padStart(digits, "0")}\0`;
  block.write(path, 0);
  block.write(octal(0o644, 7), 100);
  block.write(octal(0, 7), 108);
  block.write(octal(0, 7), 116);
  block.write(octal(bytes, 11), 124);
  block.write(octal(0, 11), 136);
  block.write("        ", 148);
  block.write("0", 156);
  block.write("ustar\x0000", 257);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}

function padding(bytes: number): number {
  return (BLOCK_BYTES - (bytes % BLOCK_BYTES)) % BLOCK_BYTES;
}

function textAt(archive: Buffer, at: number, length: number): string {
  const field = archive.subarray(at, at + length);
  const end = field.indexOf(0);
  return field.subarray(0, end < 0 ? length : end).toString("utf8");
}
