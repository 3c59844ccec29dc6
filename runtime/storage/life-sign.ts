/**
 * A socket in a folder that its owner listens on for as long as it lives. The operating system closes it with the process, whatever ends that, and a
 * connection to it succeeds from every process on the machine that sees the folder, also from other containers, in which process numbers mean nothing. It
 * says nothing but that somebody is there.
 */
import { symlink, unlink } from "node:fs/promises";
import { createConnection, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { newUuid } from "../ids.ts";
import type { Random } from "../random.ts";

/** Longest path that every system takes for a socket, in bytes. */
const PATH_BYTES = 100;

/** A socket that is listened on. */
export interface LifeSign {
  /** Stops listening and removes the socket's file. */
  close(): Promise<void>;
}

/** Listens on the socket `name` in a folder, without keeping the process alive. Rejects if the folder's filesystem has no sockets. */
export function giveLifeSign(folder: string, name: string, random: Random): Promise<LifeSign> {
  return withShortPath(folder, name, random, async (path) => {
    const server = createServer((connection) => connection.destroy());
    await new Promise<void>((resolve, reject) => server.once("error", reject).listen(path, resolve));
    server.unref();
    return {
      close: async () => {
        await new Promise((resolve) => server.close(resolve));
        await unlink(join(folder, name)).catch(unlessAbsent);
      },
    };
  });
}

/** Whether somebody listens on the socket `name` in a folder; undefined if there is no such socket. What can't be told counts as somebody. */
export function isGivingLifeSign(folder: string, name: string, random: Random): Promise<boolean | undefined> {
  return withShortPath(
    folder,
    name,
    random,
    (path) =>
      new Promise<boolean | undefined>((resolve) => {
        const connection = createConnection(path);
        connection.once("connect", () => {
          connection.destroy();
          resolve(true);
        });
        connection.once("error", ({ code }: NodeJS.ErrnoException) => resolve(code === "ENOENT" ? undefined : code !== "ECONNREFUSED"));
      }),
  );
}

/** Calls `use` with a path of the socket that is not too long for one: through a link of the moment, if the folder's own is. */
async function withShortPath<T>(folder: string, name: string, random: Random, use: (path: string) => Promise<T>): Promise<T> {
  const path = join(folder, name);
  if (Buffer.byteLength(path) <= PATH_BYTES) return use(path);
  const link = join(tmpdir(), `maestro-${newUuid(random)}`);
  await symlink(resolve(folder), link);
  try {
    return await use(join(link, name));
  } finally {
    await unlink(link);
  }
}

function unlessAbsent(error: NodeJS.ErrnoException): void {
  if (error.code !== "ENOENT") throw error;
}
