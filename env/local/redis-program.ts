/**
 * Where is the program redis-server?
 *
 * It is looked for in REDIS_SERVER, on the PATH (redis-server, then valkey-server) and in the usual places. If it is
 * nowhere and this process may install it (root on Linux, anybody with Homebrew on macOS), it is installed, and that is
 * said; SHOP_INSTALL=no forbids it. Redis and Valkey from 7.0 on will do.
 */
import { execFile } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)

const NAMES = ['redis-server', 'valkey-server'] as const
const USUAL_FOLDERS = ['/usr/local/bin', '/opt/homebrew/bin', '/usr/local/opt/redis/bin', '/snap/bin']
const OLDEST_MAJOR = 7
const INSTALL_TIMEOUT_MS = 300_000
/** Several test processes may install at the same moment: one works, the others find the package list locked. */
const LOCKED_ATTEMPTS = 120
const LOCKED_WAIT_MS = 1_000

/** There is no usable redis-server, and the message is a sentence that says what to do. */
export class RedisProgramError extends Error {
  override readonly name = 'RedisProgramError'
}

const isProgram = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

const find = (names: readonly string[], folders: readonly string[]): string | undefined =>
  names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isProgram)

const pathFolders = (): string[] => (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '')

const findRedis = (): string | undefined => find(NAMES, pathFolders()) ?? find(NAMES, USUAL_FOLDERS)

type Installer = { readonly program: string; readonly byRoot: boolean; readonly commands: readonly string[][] }

const INSTALLERS: readonly Installer[] = [
  {
    program: 'apt-get',
    byRoot: true,
    commands: [
      ['apt-get', 'update', '-qq'],
      ['apt-get', 'install', '-y', '-qq', '--no-install-recommends', 'redis-server'],
    ],
  },
  { program: 'dnf', byRoot: true, commands: [['dnf', 'install', '-y', '-q', 'redis']] },
  { program: 'apk', byRoot: true, commands: [['apk', 'add', '--no-cache', '--quiet', 'redis']] },
  { program: 'brew', byRoot: false, commands: [['brew', 'install', '--quiet', 'redis']] },
]

const installer = (): Installer | undefined =>
  INSTALLERS.find(({ program }) => find([program], [...pathFolders(), ...USUAL_FOLDERS]) !== undefined)

const asTyped = ({ byRoot, commands }: Installer): string =>
  commands.map((command) => `${byRoot ? 'sudo ' : ''}${command.join(' ')}`).join(' && ')

const mayInstall = ({ byRoot }: Installer): boolean =>
  process.env.SHOP_INSTALL !== 'no' && (byRoot ? process.getuid?.() === 0 : true)

/** RUNLEVEL=1 keeps Debian's packages from starting the service that they install. */
const runInstaller = async ({ commands }: Installer): Promise<'done' | 'locked'> => {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }
  for (const [program = '', ...parameters] of commands)
    try {
      await run(program, parameters, { env, timeout: INSTALL_TIMEOUT_MS })
    } catch (error) {
      const { message, stderr = '' } = error as Error & { stderr?: string }
      if (/\block\b|\blocked\b/i.test(stderr)) return 'locked'
      throw new RedisProgramError(`redis-server could not be installed: ${message.trim()}`, { cause: error })
    }
  return 'done'
}

const install = async (say: (line: string) => void): Promise<string> => {
  const way = installer()
  if (way === undefined)
    throw new RedisProgramError(
      'redis-server is missing: install Redis or Valkey 7.0 or newer, or name the program in REDIS_SERVER',
    )
  if (!mayInstall(way)) throw new RedisProgramError(`redis-server is missing; this installs it: ${asTyped(way)}`)
  say(`redis-server is missing; installing it: ${way.commands.map((command) => command.join(' ')).join(' && ')}`)
  for (let attempt = 0; attempt < LOCKED_ATTEMPTS; attempt += 1) {
    const outcome = await runInstaller(way)
    const program = findRedis()
    if (program !== undefined && outcome === 'done') return program
    if (outcome === 'done') break
    await after(LOCKED_WAIT_MS)
  }
  throw new RedisProgramError(`redis-server is missing, also after: ${asTyped(way)}`)
}

const assertNewEnough = async (program: string): Promise<void> => {
  const { stdout } = await run(program, ['--version']).catch((error: Error) => {
    throw new RedisProgramError(`${program} does not run: ${error.message.trim()}`, { cause: error })
  })
  const version = /\bv=(\d+)\.(\d+)\S*/.exec(stdout)
  if (version === null || Number(version[1]) < OLDEST_MAJOR)
    throw new RedisProgramError(
      `${program} is ${version === null ? 'no Redis' : `version ${version[0].slice(2)}`}; the shop needs Redis or Valkey ${OLDEST_MAJOR}.0 or newer (REDIS_SERVER can name another program)`,
    )
}

const named = (): string | undefined => {
  const program = process.env.REDIS_SERVER
  if (program === undefined || program === '') return undefined
  const path = program.includes('/') ? program : find([program], pathFolders())
  if (path === undefined || !isProgram(path))
    throw new RedisProgramError(`REDIS_SERVER names ${program}, which is no program`)
  return path
}

/**
 * The path of a redis-server that runs and is new enough, installed if need be; `say` is told so.
 * @throws RedisProgramError with a sentence for the person who started this.
 */
export const redisProgram = async (
  say: (line: string) => void = (line) => void process.stderr.write(`${line}\n`),
): Promise<string> => {
  const program = named() ?? findRedis() ?? (await install(say))
  await assertNewEnough(program)
  return program
}
