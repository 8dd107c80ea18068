/**
 * Who uses a data folder now?
 *
 * One shop at a time. A shop *claims* its folder before it reads or writes anything else in it: it takes a lock of the
 * system (fcntl(2)) on the file `shop.lock`, and holds it for life. The kernel lets one process have it, in whatever
 * container or network that runs, and gives it up however that process ends. SQLite takes it, by a write transaction that
 * is never ended, because Node itself can lock nothing; the file stays empty.
 *
 * Danger: whatever else of this process opened `shop.lock` would give up the claim by closing it. On a network file system
 * the claim is worth what that system's locks are worth. What a launcher that was killed has left running, a Redis that
 * did not end with its launcher, is ended before the folder is used; `env/redis/redis.sh` keeps two Redis apart where the system
 * can.
 */
import { randomInt } from 'node:crypto'
import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as after } from 'node:timers/promises'
import { DataFolderError, folderError, makeDataFolder, readUsage } from './data-folder.ts'

/** Two that come at the same moment may both be turned away by SQLite, and a shop that ends holds its folder to the last. */
const ATTEMPTS = 6
const WAIT_MS = { min: 20, max: 100 }

/** SQLite's result codes (sqlite.org/rescode.html): what another process holds, and what is no empty file. */
const BUSY = 5
const FULL = 13
const CANNOT_OPEN = 14
const NOT_A_DATABASE = 26

export type Claim = { readonly release: () => void }

/** Without what SQLite says more exactly in the higher bytes. */
const resultCode = (error: unknown): number => ((error as { errcode?: number }).errcode ?? 0) % 256

/** The claim; undefined if another process has it. @throws what the system or SQLite says. */
const tryClaim = async (file: string): Promise<Claim | undefined> => {
  let lock: DatabaseSync | undefined
  try {
    lock = new DatabaseSync(file)
    lock.exec('BEGIN EXCLUSIVE')
    // SQLite locks nothing, and says nothing, where it may only read.
    await access(file, constants.W_OK)
    const { close } = lock
    return { release: close.bind(lock) }
  } catch (error) {
    lock?.close()
    if (resultCode(error) === BUSY) return undefined
    throw error
  }
}

/** SQLite does not say why it cannot open a file; the system does. */
const reasonOf = async (dir: string, file: string, error: unknown): Promise<Error> => {
  if (resultCode(error) === NOT_A_DATABASE) return new Error(`no shop has made its ${basename(file)}: remove that`)
  try {
    await access(dir, constants.W_OK)
    await access(file, constants.W_OK)
  } catch (reason) {
    if ((reason as NodeJS.ErrnoException).code !== 'ENOENT') return reason as Error
  }
  if (resultCode(error) === FULL) return Object.assign(new Error('its disk is full'), { code: 'ENOSPC' })
  if (resultCode(error) === CANNOT_OPEN) return new Error(`its ${basename(file)} cannot be opened`, { cause: error })
  return error as Error
}

/** Claims the folder, and makes it if it is missing. @throws DataFolderError if another shop has it, or none can. */
export const claimFolder = async (dir: string): Promise<Claim> => {
  await makeDataFolder(dir)
  const file = join(dir, 'shop.lock')
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const claim = await tryClaim(file).catch(async (error: unknown) => {
      const cause = await reasonOf(dir, file, error)
      throw folderError(dir, { code: (cause as NodeJS.ErrnoException).code, path: file, cause })
    })
    if (claim !== undefined) return claim
    await after(randomInt(WAIT_MS.min, WAIT_MS.max))
  }
  const { pid } = (await readUsage(dir)) ?? {}
  const who = pid === undefined ? '' : `, started by process ${pid}`
  throw new DataFolderError(`another shop is running on the data folder ${dir}${who}`)
}
