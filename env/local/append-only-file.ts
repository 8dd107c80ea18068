/** Into which file does a Redis write? */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

export const AOF_FOLDER = 'appendonlydir'
/**
 * The files are named in the order of their age; the last of type `i` is the one that is written to. Redis 8 says more of it
 * behind that.
 */
const WRITTEN = /^file (\S+) seq \d+ type i(?= |$)/gm

/** The file that the Redis in this folder appends to. */
export const appendedFile = async (dir: string): Promise<string> => {
  const manifest = await readFile(join(dir, AOF_FOLDER, 'appendonly.aof.manifest'), 'utf8')
  const name = [...manifest.matchAll(WRITTEN)].at(-1)?.[1]
  if (name === undefined) throw new Error(`${dir} has no append-only file`)
  return join(dir, AOF_FOLDER, name)
}
