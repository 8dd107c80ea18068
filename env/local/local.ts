/**
 * Runs the whole shop on this machine until Ctrl-C: `npm start`.
 *
 * It says when each part is ready, where the shop is, and when a part dies and is started again. The first Ctrl-C ends
 * everything in order, and so does the end of npm, in whatever way; a second Ctrl-C ends it by force. What was bought stays
 * in the data folder for the next start.
 */
import { join, relative, resolve } from 'node:path'
import { ConfigError } from '../../shared/process/config.ts'
import { isLoopback } from '../../shared/process/exposure.ts'
import { readLine, UsageError } from '../command-line.ts'
import { DataFolderError } from './data-folder.ts'
import { type Demo, openDemo } from './demo.ts'
import { PartError } from './managed-process.ts'
import { makeOwnIssuer, type OwnIssuer } from './own-issuer.ts'
import { AddressError, PortBusyError } from './ports.ts'
import { RedisProgramError } from './redis-program.ts'
import { checkEnvironment } from './settings.ts'
import { type Shop, type ShopEvent, startShop } from './shop.ts'

/** Where the visit looks for a shop by itself. */
const VISIT_URL = 'http://127.0.0.1:8000'
const DEFAULTS = { port: '8000', host: '127.0.0.1', replicas: '1', data: join(import.meta.dirname, '../..', '.data') }
const REPLICAS_MAX = 10
/** One Ctrl-C under npm arrives twice, from the terminal and from npm: only what comes later is a second one. */
const SECOND_SIGNAL_MS = 500
const PARENT_POLL_MS = 250

const HELP = `Runs the whole shop on this machine: four Redis, four services and the gateway.

  npm start -- [--port N] [--host ADDRESS] [--replicas N] [--data DIR] [--auth] [--demo]

  --port N         where the gateway listens; 0 takes a free port (default: the variable PORT, or ${DEFAULTS.port})
  --host ADDRESS   on which address; 0.0.0.0 lets other machines in (default: the variable HOST, or ${DEFAULTS.host})
  --replicas N     how many processes each service has, 1 to ${REPLICAS_MAX} (default ${DEFAULTS.replicas})
  --data DIR       where everything is kept (default .data in the repository)
  --auth           clients bear tokens, of which the start makes and tells one of each kind
  --demo           customers are let in at once, as the console does: for five minutes
  --help           this text

The services' variables, for instance OPERATOR_TOKEN or LOG_LEVEL, are passed on to them. REDIS_SERVER names the program
redis-server if it is in an unusual place; SHOP_INSTALL=no forbids installing it.

Ctrl-C ends the shop in order; a second Ctrl-C ends it by force.`

type Command = {
  readonly port: number
  readonly host: string
  readonly replicas: number
  readonly data: string
  readonly auth: boolean
  readonly demo: boolean
}

const parseNumber = (option: string, value: string, min: number, max: number): number => {
  const number = /^\d{1,5}$/.test(value) ? Number(value) : Number.NaN
  if (number >= min && number <= max) return number
  throw new UsageError(`${option} must be a number from ${min} to ${max}, not "${value}"`)
}

const parseOptions = (line: readonly string[]) => {
  const option = { type: 'string' } as const
  return readLine({
    args: [...line],
    options: {
      port: option,
      host: option,
      replicas: option,
      data: option,
      auth: { type: 'boolean' },
      demo: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  }).values
}

/** What an option says, else its variable, else the default; with the name by which a complaint calls it. */
const choose = (option: 'port' | 'host', given: string | undefined): readonly [name: string, value: string] => {
  const variable = option.toUpperCase()
  const set = process.env[variable]
  if (given !== undefined || !set) return [`--${option}`, given ?? DEFAULTS[option]]
  return [variable, set]
}

const parseCommand = (line: readonly string[]): Command | 'help' => {
  const {
    help,
    port,
    replicas = DEFAULTS.replicas,
    data = DEFAULTS.data,
    auth = false,
    demo = false,
    ...given
  } = parseOptions(line)
  if (help) return 'help'
  if (given.host === '')
    throw new UsageError('--host must name an address, for instance 0.0.0.0 for all of this machine')
  if (data === '') throw new UsageError('--data must name a folder')
  const host = choose('host', given.host)[1]
  if (!auth && !isLoopback(host) && (process.env.AUTH || 'open') === 'open')
    throw new UsageError(
      `whoever reaches ${host} could do everything: --auth has clients bear tokens, and AUTH=open! npm start lets it be so`,
    )
  return {
    port: parseNumber(...choose('port', port), 0, 65_535),
    host,
    replicas: parseNumber('--replicas', replicas, 1, REPLICAS_MAX),
    data,
    auth,
    demo,
  }
}

/** Where keys of programs are kept. */
const keyFileIn = (data: string): string => join(resolve(data), 'keys')
/** Is that where `npm run keys` looks by itself? */
const isUsual = (data: string): boolean => resolve(data) === DEFAULTS.data && !process.env.AUTH_KEYS

const say = (line: string): void => void process.stdout.write(`${line}\n`)

/**
 * What cannot be said ends no shop: a terminal that was closed takes nothing more (SIGHUP tells of that), nor does a file on
 * a disk that is full. There is nowhere else to say it.
 */
for (const output of [process.stdout, process.stderr]) output.on('error', () => undefined)

const column = (name: string): string => `  ${name.padEnd(14)}`

const announce = (event: ShopEvent): void => {
  switch (event.type) {
    case 'note':
      return say(event.text)
    case 'ready':
      return say(`${column(event.part)}ready on port ${event.port} after ${event.ms} ms (process ${event.pid})`)
    case 'died': {
      const next = event.restartMs === undefined ? 'it stays down' : `it is started again in ${event.restartMs} ms`
      const tail = event.tail.replaceAll(/^/gm, '    | ')
      return say(`${column(event.part)}${event.how}; ${next}; the end of its log:\n${tail}`)
    }
    case 'stopped':
      return say(`${column(event.part)}ended`)
    case 'unlogged':
      return say(`${column(event.part)}its log is not written: ${event.why}`)
  }
}

/** Three lines for a stranger. @param token which one a visit bears, if it needs one: a name of it */
const firstSteps = (url: string, token: string | undefined): string => {
  const options = [...(url === VISIT_URL ? [] : [`--url ${url}`]), ...(token === undefined ? [] : [`--token ${token}`])]
  const visit = `npm run visit${['', ...(options.length > 0 ? ['--'] : []), ...options].join(' ')}`
  return [
    ['Look:', `${url}/`, 'the console: what happens, live; press "let customers in"'],
    ['Ask:', `${url}/docs`, 'all that it can be asked, to be tried'],
    ['Go shopping:', visit, 'a first order, as lines of curl with their answers'],
  ]
    .map(
      ([what = '', where = '', why = '']) =>
        `  ${what.padEnd(14)}${where.padEnd(Math.max(30, visit.length + 2))}${why}`,
    )
    .join('\n')
}

const openWelcome =
  (): string => `Clients need not say who they are, and may do everything: npm start -- --auth has them bear tokens.
Operators' routes ${process.env.OPERATOR_TOKEN ? 'want the OPERATOR_TOKEN' : 'are open to whoever reaches the shop: OPERATOR_TOKEN=... npm start closes them'}.`

/** What to try with tokens that the start has made. */
const tokensWelcome = async ({ url, dir }: Shop, { issue }: OwnIssuer): Promise<string> => `Clients bear tokens.
These are a customer's, a merchant's and an operator's, until the shop ends:

  CUSTOMER=${await issue('customer', 'anna')}
  MERCHANT=${await issue('merchant', 'seller')}
  OPERATOR=${await issue('operator', 'root')}

For instance, once they are set:

  curl -X POST -H "Authorization: Bearer $CUSTOMER" ${url}/payment/create_user
  curl -X POST -H "Authorization: Bearer $MERCHANT" ${url}/payment/add_funds/anna/100
  curl -H "Authorization: Bearer $CUSTOMER" ${url}/payment/find_user/anna
  npm run audit -- --url ${url} --token $OPERATOR

A program gets a key by this (--help tells more):

  npm run keys -- create --scope merchant --name NAME${isUsual(dir) ? '' : ` --file ${keyFileIn(dir)}`}`

/** A visit does what operators may, too. */
const visitorsToken = (issuer: OwnIssuer | undefined): string | undefined => {
  if (issuer) return '$OPERATOR'
  if (process.env.OPERATOR_TOKEN) return '$OPERATOR_TOKEN'
  return process.env.AUTH === 'jwt' ? 'TOKEN' : undefined
}

const welcome = async (shop: Shop, issuer: OwnIssuer | undefined): Promise<string> => `
The shop is open at ${shop.url} (Ctrl-C ends it).

${firstSteps(shop.url, visitorsToken(issuer))}

${issuer ? await tokensWelcome(shop, issuer) : process.env.AUTH === 'jwt' ? 'Clients bear tokens, as AUTH=jwt says.' : openWelcome()}
Logs of the parts: ${relative(process.cwd(), join(shop.dir, 'logs'))}
`

/**
 * Lets the console harm the shop for show; but where others reach it, only if operators have a token.
 */
const harmable = async (shop: Shop, host: string, issuer: OwnIssuer | undefined): Promise<Demo | undefined> => {
  const isClosed = issuer !== undefined || process.env.AUTH === 'jwt' || Boolean(process.env.OPERATOR_TOKEN)
  if (!isLoopback(host) && !isClosed) return undefined
  const token = issuer ? await issuer.issue('merchant', 'visitors') : ''
  return openDemo({ shop, token, say: (line) => say(`${column('demo')}${line}`) })
}

/** npm passes on what it is told, but not that it was killed: then its child has another parent. */
const watchNpm = (onGone: () => void): void => {
  if (process.env.npm_lifecycle_event !== 'start') return
  const npm = process.ppid
  const timer = setInterval(() => {
    if (process.ppid === npm) return
    clearInterval(timer)
    onGone()
  }, PARENT_POLL_MS).unref()
}

const run = async ({ port, host, replicas, data, auth, demo }: Command): Promise<void> => {
  const ending = new AbortController()
  let shop: Shop | undefined
  let shown: Demo | undefined
  let askedAt = 0
  const farewell = (): void => say(`The shop has ended; its data is in ${relative(process.cwd(), data) || '.'}.`)

  const end = (): void => {
    if (askedAt !== 0) return
    askedAt = performance.now()
    say('\nEnding the shop (Ctrl-C again ends it by force).')
    ending.abort(new DOMException('the start was given up', 'AbortError'))
    const stopped = Promise.resolve(shown?.stop()).then(() => shop?.stop())
    if (shop) stopped.then(farewell).catch(fail)
  }
  const onSignal = (): void => {
    if (askedAt === 0) return end()
    if (performance.now() - askedAt < SECOND_SIGNAL_MS) return
    for (const part of shop?.parts ?? []) part.kill()
    process.exit(1)
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, onSignal)
  watchNpm(end)

  const issuer = auth ? await makeOwnIssuer(keyFileIn(data)) : undefined
  checkEnvironment({ ...process.env, HOST: host, PORT: String(port), ...issuer?.variables })
  try {
    shop = await startShop({
      dir: data,
      port,
      host,
      replicas,
      ...(issuer ? { env: { all: issuer.variables } } : {}),
      restart: true,
      signal: ending.signal,
      onEvent: announce,
    })
  } catch (error) {
    if (ending.signal.aborted && error === ending.signal.reason) return farewell()
    throw error
  }
  if (ending.signal.aborted) return shop.stop().then(farewell)
  shown = await harmable(shop, host, issuer)
  if (demo) shown?.letIn()
  say(await welcome(shop, issuer))
}

const sentenceOf = (error: unknown): string | undefined => {
  if (error instanceof ConfigError) return `nothing was started: ${error.message}`
  if (error instanceof UsageError) return `${error.message}; npm start -- --help shows the options`
  if (error instanceof PortBusyError) return `${error.message}; npm start -- --port N takes another one`
  if (error instanceof AddressError)
    return `${error.message}; npm start -- --host ADDRESS --port N says where to listen (or HOST and PORT)`
  if (error instanceof DataFolderError) return `${error.message}; npm start -- --data DIR takes another one`
  if (error instanceof RedisProgramError || error instanceof PartError) return error.message
  return undefined
}

const fail = (error: unknown): void => {
  const sentence = sentenceOf(error)
  if (sentence === undefined) throw error
  process.stderr.write(`${sentence}\n`)
  process.exitCode = 1
}

const main = async (): Promise<void> => {
  const command = parseCommand(process.argv.slice(2))
  if (command === 'help') return say(HELP)
  await run(command)
}

await main().catch(fail)
