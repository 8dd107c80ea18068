/**
 * What does a shop keep on this machine?
 *
 * One folder: what each Redis wrote (`redis/<service>`), the logs (`logs/<part>.log`), the passwords that were made once
 * (`passwords.json`), and who uses it now (`shop.json`). One shop at a time uses a folder. A Redis that an ended shop has
 * left running on it, though its leash should have ended it, is ended before the folder is used again.
 */
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { promisify } from 'node:util'
import { type Guard, isGuarded } from './ports.ts'
import { type Passwords, passwordsOf, SERVICES, type Service } from './wiring.ts'

const run = promisify(execFile)

const PASSWORD_BYTES = 18
const LEFTOVER_PATIENCE_MS = 10_000
const LEFTOVER_POLL_MS = 50

/** The folder cannot be used; the message says why. */
export class DataFolderError extends Error {
  override readonly name = 'DataFolderError'
}

export const redisFolder = (dir: string, service: Service): string => join(dir, 'redis', service)
export const pidFile = (dir: string, service: Service): string => join(redisFolder(dir, service), 'redis.pid')
export const logFile = (dir: string, part: string): string => join(dir, 'logs', `${part}.log`)

const readOptional = async (file: string): Promise<string | undefined> => {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** Whole or not at all, and for the owner's eyes only. */
const writePrivate = async (file: string, content: unknown): Promise<void> => {
  await writeFile(`${file}.new`, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 })
  await rename(`${file}.new`, file)
}

/** Makes what is missing of the folder, each log empty. */
export const prepareFolder = async (dir: string, parts: readonly string[]): Promise<void> => {
  await mkdir(dir, { recursive: true, mode: 0o700 })
  await mkdir(join(dir, 'logs'), { recursive: true })
  await Promise.all([
    ...SERVICES.map((service) => mkdir(redisFolder(dir, service), { recursive: true })),
    ...parts.map((part) => writeFile(logFile(dir, part), '', { mode: 0o600 })),
  ])
}

/** The passwords of this folder; made at its first use. */
export const readPasswords = async (dir: string): Promise<Passwords> => {
  const file = join(dir, 'passwords.json')
  const kept = await readOptional(file)
  if (kept !== undefined) return JSON.parse(kept) as Passwords
  const made = passwordsOf(() => randomBytes(PASSWORD_BYTES).toString('base64url'))
  await writePrivate(file, made)
  return made
}

type Usage = { readonly guard: Guard; readonly redisPorts: Record<Service, number> }

const usageFile = (dir: string): string => join(dir, 'shop.json')

export const writeUsage = (dir: string, usage: Usage): Promise<void> => writePrivate(usageFile(dir), usage)

/** A Redis names itself and its port in the process list; undefined if no such process runs. */
const processTitle = async (pid: string): Promise<string | undefined> => {
  try {
    return (await run('ps', ['-p', pid, '-o', 'command='])).stdout.trim()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') return undefined
    return (await readOptional(`/proc/${pid}/cmdline`))?.replaceAll('\0', ' ').trim()
  }
}

const endLeftover = async (dir: string, service: Service, port: number): Promise<void> => {
  const pid = (await readOptional(pidFile(dir, service)))?.trim()
  if (pid === undefined || !/^\d+$/.test(pid)) return
  const isLeft = async (): Promise<boolean> => {
    const title = await processTitle(pid)
    return title !== undefined && /(redis|valkey)-server/.test(title) && title.includes(`:${port}`)
  }
  const patience = performance.now() + LEFTOVER_PATIENCE_MS
  for (let told = false; await isLeft(); await after(LEFTOVER_POLL_MS)) {
    if (performance.now() > patience) process.kill(Number(pid), 'SIGKILL')
    else if (!told) {
      process.kill(Number(pid), 'SIGTERM')
      process.kill(Number(pid), 'SIGCONT')
      told = true
    }
  }
}

/** Makes sure that nobody uses the folder. @throws DataFolderError if a running shop does. */
export const claimFolder = async (dir: string): Promise<void> => {
  const kept = await readOptional(usageFile(dir))
  if (kept === undefined) return
  const usage = JSON.parse(kept) as Usage
  if (await isGuarded(usage.guard)) throw new DataFolderError(`another shop is running on the data folder ${dir}`)
  await Promise.all(SERVICES.map((service) => endLeftover(dir, service, usage.redisPorts[service])))
}
