/** Where the shop listens and is asked: what cannot be is one sentence, and what is told is true. */
import { once } from 'node:events'
import { createServer } from 'node:net'
import { networkInterfaces } from 'node:os'
import test from 'ava'
import { AddressError, assertPortFree, PortBusyError } from '../../../env/local/ports.ts'
import { startShop } from '../../../env/local/shop.ts'
import { listenFault } from '../../../shared/process/listen.ts'
import { run } from '../../support/program.ts'

/** For documentation (RFC 5737) and for nobody (RFC 6761). */
const [FOREIGN, UNKNOWN] = ['192.0.2.1', 'nowhere.invalid']

const addresses = Object.values(networkInterfaces()).flatMap((all = []) => all.map(({ address }) => address))
for (const [host, origin] of [
  ['0.0.0.0', /^http:\/\/127\.0\.0\.1:\d+$/],
  ...(addresses.includes('::1') ? ([['::1', /^http:\/\/\[::1\]:\d+$/]] as const) : []),
] as const)
  test.serial(`a shop on ${host} is where it says`, async (t) => {
    const shop = await startShop({ host, env: { gateway: { AUTH: 'open!' } } })
    t.teardown(shop.stop)
    t.regex(shop.url, origin)
    t.is((await fetch(`${shop.url}/payment/create_user`, { method: 'POST' })).status, 200)
  })

test.serial('where nobody can listen is said before anything is started', async (t) => {
  await t.throwsAsync(assertPortFree(0, FOREIGN), {
    instanceOf: AddressError,
    message: `${FOREIGN} is no address of this machine`,
  })
  await t.throwsAsync(assertPortFree(0, UNKNOWN), {
    instanceOf: AddressError,
    message: `no address is known of the host ${UNKNOWN}`,
  })
  const server = createServer().listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  await t.throwsAsync(assertPortFree(port, '127.0.0.1'), { instanceOf: PortBusyError })
  t.regex(
    listenFault(Object.assign(new Error('not permitted'), { code: 'EACCES' }), '127.0.0.1', 80) ?? '',
    /^port 80 may not be used by this user/,
  )
  t.is(listenFault(new Error('of another kind'), '127.0.0.1', 80), undefined)
})

const HINT = 'npm start -- --help shows the options'
const WHERE = 'npm start -- --host ADDRESS --port N says where to listen (or HOST and PORT)'
for (const [what, parameters, env, complaint] of [
  ['PORT that is none', [], { PORT: '80x' }, `PORT must be a number from 0 to 65535, not "80x"; ${HINT}`],
  [
    'HOST that is not this machine',
    [],
    { HOST: FOREIGN, PORT: '0', AUTH: 'open!' },
    `${FOREIGN} is no address of this machine; ${WHERE}`,
  ],
  [
    'an empty --host',
    ['--host', ''],
    {},
    `--host must name an address, for instance 0.0.0.0 for all of this machine; ${HINT}`,
  ],
  [
    'to be open to all',
    ['--host', '0.0.0.0'],
    { AUTH: '' },
    `whoever reaches 0.0.0.0 could do everything: --auth has clients bear tokens, and AUTH=open! npm start lets it be so; ${HINT}`,
  ],
  [
    'a setting of which the gateway can make nothing, before anything is started',
    [],
    { LIMIT_READS: 'many' },
    'nothing was started: the settings are not right: LIMIT_READS must be "20,100": so many a second, and so many at once, each from 1 to 1000000, or "off", not "many"',
  ],
  [
    'settings of which services can make nothing, before anything is started',
    [],
    { AUTH: 'jtw', LOCKS_MAX: 'many' },
    'nothing was started: the settings are not right: AUTH must be one of open, open!, jwt, not "jtw"; LOCKS_MAX must be an integer from 1 to 10000000, not "many"',
  ],
  [
    'features that are none',
    [],
    { FEATURES_OFF: 'pay,fly' },
    'nothing was started: FEATURES_OFF names what is no feature of the shop: fly',
  ],
  ['an empty --data', ['--data', ''], {}, `--data must name a folder; ${HINT}`],
] as const)
  test.serial(`npm start refuses ${what} in one sentence`, async (t) => {
    const ended = await run(t, ['env/local/local.ts', ...parameters], { env: { ...process.env, ...env } })
    t.like(ended, { code: 1, output: '', errors: `${complaint}\n` })
  })

const TOKEN =
  'the operator token (--token or OPERATOR_TOKEN) must consist of visible ASCII characters, without spaces: no header carries others'
for (const [program, verb] of [
  ['audit', []],
  ['saga', ['explain', 'order']],
] as const)
  test.serial(`${program} that cannot ask ends with 2, whatever the reason`, async (t) => {
    const ask = (...more: string[]) => run(t, [`env/operator/${program}.ts`, ...verb, ...more])
    for (const url of ['127.0.0.1:8000', 'localhost:8000', 'shop', 'ftp://shop', ''])
      t.like(await ask('--url', url), {
        code: 2,
        output: '',
        errors: `--url must be an address as http://127.0.0.1:8000, not "${url}"\n`,
      })
    t.like(await ask('--token', 'a\nb'), { code: 2, output: '', errors: `${TOKEN}\n` })
    t.like(await ask('--url', 'http://127.0.0.1:9'), { code: 2, output: '' })
    t.like(await ask('--nonsense'), { code: 2, output: '' })
  })
