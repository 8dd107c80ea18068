import test from 'ava'
import {
  ConfigError,
  flag,
  headerSecret,
  integer,
  name,
  origins,
  readConfig,
  redisUrl,
  text,
} from '../../../shared/process/config.ts'

const read = <Value>(setting: Parameters<typeof readConfig>[1][string], value?: string): Value =>
  readConfig({ IT: value }, { it: setting }, {})[0].it as Value
const complaint = (setting: Parameters<typeof readConfig>[1][string], value?: string): string => {
  try {
    read(setting, value)
  } catch (error) {
    if (error instanceof ConfigError) return error.message.replace(/^.*?: /, '')
    throw error
  }
  return 'none'
}

test('reads every setting of the table by its variable', (t) => {
  const environment = {
    NAME: 'order',
    PORT: '8000',
    SAFE: 'yes',
    REDIS: 'redis://h:1/',
    URLS: 'http://a:1, http://b:2/',
  }
  t.deepEqual(
    readConfig(
      environment,
      { name: text('NAME'), port: integer('PORT', { min: 0, max: 65_535 }), isSafe: flag('SAFE') },
      { redis: redisUrl('REDIS'), urls: origins('URLS') },
    ),
    [
      { name: 'order', port: 8000, isSafe: true },
      { redis: 'redis://h:1', urls: ['http://a:1', 'http://b:2'] },
    ],
  )
})

test('tells everything that is missing or wrong at once', (t) => {
  const error = t.throws(
    () =>
      readConfig(
        { PORT: 'many', SAFE: '1', OTHER: 'x' },
        { name: text('NAME'), port: integer('PORT', { min: 1, max: 9 }) },
        { isSafe: flag('SAFE'), other: text('OTHER') },
      ),
    { instanceOf: ConfigError },
  )
  for (const said of [
    'NAME is missing',
    'PORT must be an integer from 1 to 9, not "many"',
    'SAFE must be "yes" or "no"',
  ])
    t.true(error?.message.includes(said), said)
  t.false(error?.message.includes('OTHER'))
})

test('an absent or empty variable has its default, and without one is missing', (t) => {
  for (const value of [undefined, '']) {
    t.is(read(integer('IT', { min: 1, max: 9 }, 5), value), 5)
    t.is(read(text('IT', 'default'), value), 'default')
    t.is(read(text('IT', ''), value), '')
    t.is(read(flag('IT', false), value), false)
    t.is(complaint(text('IT'), value), 'IT is missing')
  }
})

for (const value of ['0', '10', '1e1', '1.5', '-1', '+5', ' 5', '0x5', '١', '9999999999999999', 'NaN'])
  test(`an integer from 1 to 9 is not "${value}"`, (t) => {
    t.is(complaint(integer('IT', { min: 1, max: 9 }), value), `IT must be an integer from 1 to 9, not "${value}"`)
  })
test('an integer includes its bounds', (t) => {
  t.is(read(integer('IT', { min: 1, max: 9 }), '1'), 1)
  t.is(read(integer('IT', { min: 1, max: 9 }), '9'), 9)
})

for (const value of ['order 1', 'order/1', 'é', '.', 'a'.repeat(65)])
  test(`a name is not "${value}"`, (t) => {
    t.is(complaint(name('IT'), value), `IT must be 1 to 64 letters, digits, "_" or "-", not "${value}"`)
  })
test('a name may have all that an identifier may', (t) => {
  t.is(read(name('IT'), 'order-1_B'), 'order-1_B')
})

for (const value of ['true', 'YES', '0', 'y'])
  test(`a flag is not "${value}"`, (t) => {
    t.is(complaint(flag('IT'), value), `IT must be "yes" or "no", not "${value}"`)
  })

for (const value of ['localhost:6379', 'http://h:1', 'redis', '//h'])
  test(`the URL of a Redis is not "${value}"`, (t) => {
    t.regex(
      complaint(redisUrl('IT'), value),
      /^IT must be a URL of the form redis:\/\/host:port or rediss:\/\/host:port$/,
    )
  })
test('the URL of a Redis may have a user, a password and TLS', (t) => {
  t.is(read(redisUrl('IT'), 'rediss://shop:secret@h:1'), 'rediss://shop:secret@h:1')
})

test('a complaint about a URL does not tell the password in it', (t) => {
  t.false(complaint(redisUrl('IT'), 'http://shop:secret@h:1').includes('secret'))
})

for (const value of ['http://a:1,', 'http://a:1,b:2', 'redis://a:1', ','])
  test(`origins are not "${value}"`, (t) => {
    t.regex(complaint(origins('IT'), value), /^IT must be a URL of the form http:\/\/host:port or https/)
  })

test('a secret that no header carries is refused, and not told', (t) => {
  t.is(read(headerSecret('IT'), 'a-Word.with_signs~+/='), 'a-Word.with_signs~+/=')
  for (const secret of ['two words', ' before', 'line\nbreak', 'schlüssel'])
    t.is(
      complaint(headerSecret('IT'), secret),
      'IT must consist of visible ASCII characters, without spaces: no header carries others',
    )
})
