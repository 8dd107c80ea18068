/**
 * How does a running gateway learn of a key that is made or revoked?
 *
 * It looks at the file twice a second, and reads it when it has changed, or could not be read. What cannot be read grants
 * nothing: where the file is gone there are no keys, and a line that cannot be understood counts as not written, with an error in
 * the log.
 */
import { readFileSync, statSync } from 'node:fs'
import type { Logger } from 'pino'
import { codeOf, messageOf } from '../../shared/errors.ts'
import { type ApiKey, readKeys } from './api-keys.ts'

const LOOK_MS = 500

export type KeyFile = {
  readonly keys: () => ReadonlyMap<string, ApiKey>
  readonly stop: () => void
}

/** What tells one state of the file from another. */
const stateOf = (path: string): string => {
  try {
    const { ino, size, mtimeMs } = statSync(path)
    return `${ino} ${size} ${mtimeMs}`
  } catch (error) {
    return codeOf(error) ?? 'unknown'
  }
}

const readText = (path: string): string => readFileSync(path, 'utf8')

/** @param read for tests: reads the file */
export const openKeyFile = (path: string, log: Logger, read: (path: string) => string = readText): KeyFile => {
  let state = ''
  let isRead = false
  let keys: ReadonlyMap<string, ApiKey> = new Map()

  const look = (): void => {
    const now = stateOf(path)
    const hasChanged = now !== state
    if (!hasChanged && isRead) return
    state = now
    try {
      const found = readKeys(read(path))
      keys = found.keys
      isRead = true
      log.info({ path, keys: keys.size }, 'keys of programs were read')
      for (const fault of found.faults) log.error({ path, fault }, 'a line of the keys is not understood')
    } catch (error) {
      keys = new Map()
      isRead = false
      // What keeps it from being read may pass, and leaves it as it was: no descriptor was left, this user may read it now.
      if (hasChanged) log.error({ path, why: messageOf(error) }, 'the keys of programs cannot be read: there are none')
    }
  }

  look()
  const timer = setInterval(look, LOOK_MS).unref()
  return { keys: () => keys, stop: () => clearInterval(timer) }
}
