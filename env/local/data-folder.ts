/**
 * What does a shop keep on this machine?
 *
 * One folder: what each Redis wrote (`redis/<service>`), the logs (`logs/<part>.log`; what became too long is
 * `<part>.1.log` from the next start on), the passwords that were made once
 * (`passwords.json`), and what a person may want to know of the shop that uses it (`shop.json`). `claim.ts` says who does.
 *
 * The two files are on the disk, whole, before they get their names. One that is torn nevertheless, or empty, counts as
 * absent: every Redis is given its passwords when it starts, so new ones are as good, and nothing depends on the other.
 */

import { randomBytes } from 'node:crypto'
import { mkdir, open, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { SERVICES, type Service } from '../../shared/contract/services.ts'
import { isPasswords, type Passwords, passwordsOf } from '../wiring.ts'

const PASSWORD_BYTES = 18

/** The folder cannot be used; the message says why. */
export class DataFolderError extends Error {
  override readonly name = 'DataFolderError'
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
  EROFS: 'it is on a disk that is read-only',
  ENOTDIR: 'it is no folder',
  EEXIST: 'it is no folder',
  ENOSPC: 'its disk is full',
  EDQUOT: "this user's part of its disk is full",
  EIO: 'its disk fails',
  EISDIR: 'it has a folder where a file should be',
  ELOOP: 'the links on the way to it lead in a circle',
  ENAMETOOLONG: 'its name is too long',
}

type Refusal = { readonly code?: string | undefined; readonly path?: string; readonly cause: Error }

/** What the system says of a folder or a file in it, in a sentence. */
export const folderError = (dir: string, { code, path = dir, cause }: Refusal): DataFolderError =>
  new DataFolderError(
    `the data folder ${dir} cannot be used: ${REASONS[code ?? ''] ?? cause.message}${path === dir ? '' : ` (${path})`}`,
    { cause },
  )

/** @throws DataFolderError for what the system refuses; anything else as it is. */
export const within = async <Result>(dir: string, action: () => Promise<Result>): Promise<Result> => {
  try {
    return await action()
  } catch (error) {
    const { code, path } = error as NodeJS.ErrnoException
    if (code === undefined) throw error
    throw folderError(dir, { code, ...(path === undefined ? {} : { path }), cause: error as Error })
  }
}

export const redisFolder = (dir: string, service: Service): string => join(dir, 'redis', service)
export const pidFile = (dir: string, service: Service): string => join(redisFolder(dir, service), 'redis.pid')
export const logFile = (dir: string, part: string): string => join(dir, 'logs', `${part}.log`)

export const readOptional = async (file: string): Promise<string | undefined> => {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** What a file holds; undefined if it is missing, empty or torn. */
const readKept = async (file: string): Promise<unknown> => {
  const kept = await readOptional(file)
  try {
    return kept === undefined ? undefined : (JSON.parse(kept) as unknown)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

const sync = async (path: string): Promise<void> => {
  const handle = await open(path)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Whole or not at all, also after loss of power, and for the owner's eyes only. */
const writePrivate = async (file: string, content: unknown): Promise<void> => {
  await writeFile(`${file}.new`, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600, flush: true })
  await rename(`${file}.new`, file)
  await sync(dirname(file))
}

const isFolder = async (path: string): Promise<boolean> => {
  try {
    return (await stat(path)).isDirectory()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return false
  }
}

/**
 * A folder, and those on the way to it. Node's own (`recursive`) tries for ever where a folder takes none and its system says that it is
 * missing, as in /proc and below what is mounted when it is asked for.
 */
const makeFolders = async (path: string): Promise<void> => {
  try {
    await mkdir(path, { mode: 0o700 })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST' && (await isFolder(path))) return
    if (code !== 'ENOENT' || (await isFolder(dirname(path)))) throw error
    await makeFolders(dirname(path))
    await makeFolders(path)
  }
}

export const makeDataFolder = (dir: string): Promise<void> => within(dir, () => makeFolders(dir))

/** A log that is longer at a start is put aside, in the place of the one that was put aside before. */
const LOG_MAX_BYTES = 8 * 1_024 * 1_024

/** Has a part go on with its log, or begin another one. */
const prepareLog = async (dir: string, part: string): Promise<void> => {
  const file = logFile(dir, part)
  await writeFile(file, '', { flag: 'a', mode: 0o600 })
  if ((await stat(file)).size > LOG_MAX_BYTES) await rename(file, logFile(dir, `${part}.1`))
}

/** For the owner's eyes only, whoever may look into the folder if that was there before: a Redis lets everybody read its files. */
const PRIVATE = { recursive: true, mode: 0o700 }

/** Makes what is missing of the folder. */
export const prepareFolder = (dir: string, parts: readonly string[]): Promise<void> =>
  within(dir, async () => {
    await mkdir(join(dir, 'logs'), PRIVATE)
    await Promise.all([
      ...SERVICES.map((service) => mkdir(redisFolder(dir, service), PRIVATE)),
      ...parts.map((part) => prepareLog(dir, part)),
    ])
  })

/** The passwords of this folder; made at its first use. */
export const readPasswords = (dir: string): Promise<Passwords> =>
  within(dir, async () => {
    const file = join(dir, 'passwords.json')
    const kept = await readKept(file)
    if (isPasswords(kept)) return kept
    const made = passwordsOf(() => randomBytes(PASSWORD_BYTES).toString('base64url'))
    await writePrivate(file, made)
    return made
  })

/** For a person who looks into the folder; it says nothing of whether that shop still runs. */
export type Usage = { readonly pid: number; readonly redisPorts: Record<Service, number> }

const usageFile = (dir: string): string => join(dir, 'shop.json')

export const writeUsage = (dir: string, usage: Usage): Promise<void> =>
  within(dir, () => writePrivate(usageFile(dir), usage))

/** What the shop before has written; undefined if that cannot be read. */
export const readUsage = async (dir: string): Promise<Partial<Usage> | undefined> => {
  const kept = await within(dir, () => readKept(usageFile(dir)))
  return typeof kept === 'object' && kept !== null ? kept : undefined
}
