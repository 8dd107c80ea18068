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
 * did not end with its leash, is ended before the folder is used; `redis.sh` keeps two Redis apart where the system can.
 */
import { randomInt } from 'node:crypto'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as after } from 'node:timers/promises'
import { DataFolderError, folderError, makeDataFolder, readUsage } from './data-folder.ts'

/** Two that come at the same moment may both be turned away by SQLite, and a shop that ends holds its folder to the last. */
const ATTEMPTS = 6
const WAIT_MS = { min: 20, max: 100 }

/** SQLite's result codes (sqlite.org/rescode.html): what somebody else holds, and what the system calls the others. */
const BUSY = 5
const SQLITE_REASONS: Readonly<Record<number, string>> = {
  8: 'EACCES',
  10: 'EIO',
  13: 'ENOSPC',
  14: 'EACCES',
}

export type Claim = { readonly release: () => void }

/** Without what SQLite says more exactly in the higher bytes. */
const resultCode = (error: unknown): number => ((error as { errcode?: number }).errcode ?? 0) % 256

const tryClaim = (file: string): Claim | 'held by another' => {
  const lock = new DatabaseSync(file)
  try {
    lock.exec('BEGIN EXCLUSIVE')
    return { release: () => lock.close() }
  } catch (error) {
    lock.close()
    if (resultCode(error) === BUSY) return 'held by another'
    throw error
  }
}

/** Claims the folder, and makes it if it is missing. @throws DataFolderError if another shop has it, or nobody can. */
export const claimFolder = async (dir: string): Promise<Claim> => {
  await makeDataFolder(dir)
  const file = join(dir, 'shop.lock')
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    try {
      const claim = tryClaim(file)
      if (claim !== 'held by another') return claim
    } catch (error) {
      throw folderError(dir, { code: SQLITE_REASONS[resultCode(error)], path: file, cause: error as Error })
    }
    await after(randomInt(WAIT_MS.min, WAIT_MS.max))
  }
  const { pid } = (await readUsage(dir)) ?? {}
  const who = pid === undefined ? '' : `, started by process ${pid}`
  throw new DataFolderError(`another shop is running on the data folder ${dir}${who}`)
}
