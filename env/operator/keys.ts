/**
 * Makes, lists and revokes the keys of programs: `npm run keys`.
 *
 * It writes into the file that the gateway reads (`AUTH_KEYS`), which sees within a second what was added. A key is shown once, when it is
 * made; the file has its digest only. It ends with 0 if it was done, 1 if there is no such key, and 2 if it could not be done.
 */
import { type FileHandle, open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type ApiKey, areGiven, KEY_SCOPES, makeKey, readKeys, revocation } from '../../gateway/auth/api-keys.ts'
import { codeOf, messageOf } from '../../shared/errors.ts'
import { readLine, UsageError } from '../command-line.ts'

const DEFAULT_FILE = process.env.AUTH_KEYS || join(import.meta.dirname, '../..', '.data', 'keys')
const UNKNOWN = 1
const FAILED = 2

const HELP = `Makes, lists and revokes keys of programs, which they bear as "Authorization: Bearer KEY" where AUTH=jwt wants tokens.

  npm run keys -- create --scope SCOPE --name NAME    makes one, and shows it this once
  npm run keys -- list                                shows who has which, and which were revoked
  npm run keys -- revoke ID                           ends one, within a second

  --scope SCOPE    what it may do: ${KEY_SCOPES.join(', ')}
  --name NAME      whose it is: of a customer's key the customer, of others what the trail calls its bearer
  --file FILE      where they are kept (default: the variable AUTH_KEYS, or .data/keys)
  --help           this text

The gateway reads the same file where AUTH_KEYS names it. "npm start -- --auth" reads .data/keys, and with "--data DIR" DIR/keys,
which --file is to name then. AUTH_KEYS may also have the lines of such a file themselves, as a list:
[{"id":...},...]; then a key ends with the next start of the gateway that lacks it.`

/** Whether the last line was not written to its end: by hand, or when the disk was full. */
const isBroken = async (handle: FileHandle): Promise<boolean> => {
  const { size } = await handle.stat()
  if (size === 0) return false
  const { buffer } = await handle.read({ buffer: Buffer.alloc(1), position: size - 1 })
  return buffer.toString() !== '\n'
}

/** For the owner's eyes only, whole lines, on the disk before it says so. */
const append = async (file: string, line: string): Promise<void> => {
  const handle = await open(file, 'a+', 0o600)
  try {
    await handle.appendFile((await isBroken(handle)) ? `\n${line}` : line)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

const readAll = async (file: string): Promise<readonly ApiKey[]> => {
  try {
    const { keys, faults } = readKeys(await readFile(file, 'utf8'))
    for (const fault of faults) console.error(`${file}: ${fault}`)
    return [...keys.values()]
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return []
    throw error
  }
}

type Options = { readonly scope?: string; readonly name?: string; readonly file: string }

const create = async ({ scope, name = '', file }: Options): Promise<string> => {
  const known = KEY_SCOPES.find((one) => one === scope)
  if (known === undefined) throw new UsageError(`--scope must be one of ${KEY_SCOPES.join(', ')}`)
  if (name === '' || !name.isWellFormed()) throw new UsageError('--name must say whose key it is')
  const { key, line } = makeKey(known, name, new Date())
  await append(file, line)
  return key
}

const lineOf = ({ id, scope, subject, created, revoked }: ApiKey): string =>
  [id, scope.padEnd(8), created, revoked === undefined ? 'holds'.padEnd(32) : `revoked ${revoked}`, subject].join('  ')

const revoke = async (id: string, { file }: Options): Promise<string> => {
  const key = (await readAll(file)).find((one) => one.id === id)
  if (key === undefined) {
    process.exitCode = UNKNOWN
    return `there is no key ${id} in ${file}`
  }
  if (key.revoked === undefined) await append(file, revocation(id, new Date()))
  return `${id} is revoked`
}

const main = async (): Promise<string> => {
  const option = { type: 'string' } as const
  const { values, positionals } = readLine({
    allowPositionals: true,
    options: { scope: option, name: option, file: option, help: { type: 'boolean', short: 'h' } },
  })
  if (values.help) return HELP
  const [verb = '', id = '', ...more] = positionals
  const options = { ...values, file: values.file ?? DEFAULT_FILE }
  if (areGiven(options.file)) throw new UsageError('AUTH_KEYS has keys themselves: --file must name a file of them')
  if (more.length === 0 && verb === 'revoke' && id !== '') return revoke(id, options)
  if (id !== '') throw new UsageError(`"${positionals.join(' ')}" is not understood`)
  if (verb === 'create') return create(options)
  if (verb === 'list') return (await readAll(options.file)).map(lineOf).join('\n') || `no keys in ${options.file}`
  if (verb === 'revoke') throw new UsageError('"revoke" wants the ID of a key')
  throw new UsageError(verb === '' ? 'say what to do: create, list or revoke ID' : `there is no "${verb}"`)
}

await main().then(console.log, (error: unknown) => {
  const hint = error instanceof UsageError ? '; npm run keys -- --help shows the options' : ''
  console.error(`${messageOf(error)}${hint}`)
  process.exitCode = FAILED
})
