/**
 * Which Redis has an ended shop left running on its data folder, and how is it ended?
 *
 * Every Redis ends with its launcher (see `die-with-parent.sh`), but a launcher can be killed a moment before another one starts. A
 * process is such a leftover if the pid file in its folder names it, if it is a Redis, and if it works in that folder: so
 * nothing else needs to be known of the shop before, and a process that only got its number is left alone.
 */

import { execFile } from 'node:child_process'
import { readFile, readlink, realpath } from 'node:fs/promises'
import { setTimeout as after } from 'node:timers/promises'
import { promisify } from 'node:util'
import { SERVICES, type Service } from '../../shared/contract/services.ts'
import { pidFile, readOptional, redisFolder, within } from './data-folder.ts'

const run = promisify(execFile)

const TIMEOUT_MS = 10_000
const POLL_MS = 50
const REDIS = /(redis|valkey)-server/

type Process = { readonly title: string; readonly folder: string }

/** What the system tells of a process on Linux; undefined if it does not run, or does not concern this user. */
const fromProc = async (pid: string): Promise<Process | undefined> => {
  try {
    return { title: await readFile(`/proc/${pid}/cmdline`, 'utf8'), folder: await readlink(`/proc/${pid}/cwd`) }
  } catch {
    return undefined
  }
}

/** The same where there is no /proc. Both programs fail for a process that does not run. */
const fromPrograms = async (pid: string): Promise<Process | undefined> => {
  try {
    const title = await run('ps', ['-p', pid, '-o', 'command='])
    const files = await run('lsof', ['-a', '-p', pid, '-d', 'cwd', '-Fn'])
    return { title: title.stdout, folder: /^n(.*)$/m.exec(files.stdout)?.[1] ?? '' }
  } catch {
    return undefined
  }
}

const describe = process.platform === 'linux' ? fromProc : fromPrograms

const tell = (pid: number, signal: NodeJS.Signals): void => {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

const endLeftover = async (dir: string, service: Service): Promise<void> => {
  const pid = (await readOptional(pidFile(dir, service)))?.trim()
  if (pid === undefined || !/^[1-9]\d{0,9}$/.test(pid)) return
  const folder = await realpath(redisFolder(dir, service))
  const isLeft = async (): Promise<boolean> => {
    const found = await describe(pid)
    return found !== undefined && REDIS.test(found.title) && found.folder === folder
  }
  const deadline = performance.now() + TIMEOUT_MS
  for (let told = false; await isLeft(); await after(POLL_MS)) {
    if (performance.now() > deadline) tell(Number(pid), 'SIGKILL')
    else if (!told) {
      tell(Number(pid), 'SIGTERM')
      tell(Number(pid), 'SIGCONT')
      told = true
    }
  }
}

/** Ends whatever Redis still works in the folder, which must have been claimed. */
export const endLeftovers = async (dir: string): Promise<void> => {
  await within(dir, () => Promise.all(SERVICES.map((service) => endLeftover(dir, service))))
}
