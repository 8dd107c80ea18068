import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { startShop } from '../../env/local/shop.ts'
import { run } from '../support/program.ts'

const runBench = (t: ExecutionContext, line: string) =>
  run(t, [join(import.meta.dirname, 'main.ts'), ...line.split(' ')])

test.serial(
  'measures checkouts, finds all money and goods again, and tells what is kept of each checkout',
  async (t) => {
    const { code, output, errors } = await runBench(
      t,
      '--warm-up 1 --seconds 1 --connections 8 --runs 2 --users 100 --items 100 --orders 9000 --finished 500 --no-limits',
    )
    t.is(code, 0, errors + output)
    t.regex(output, /9,000 orders, two lines, of 100 users; 100 items/)
    t.regex(output, /^500 checkouts finished before/m)
    t.regex(output, /^Conservation: holds/m)
    t.regex(output, /^connections +checkouts\/s +from +to /m)
    t.regex(output, /^ +8 +[\d,]+ .* none$/m)
    const [, bytes = ''] = /^ +order +[\d.]+ +(\d+) +[\d.]+$/m.exec(output) ?? []
    t.true(Number(bytes) > 100, output)
    t.false(/^One script/m.test(output))
  },
)

test.serial('measures a part of the peak in an open loop', async (t) => {
  const { code, output, errors } = await runBench(t, '--warm-up 1 --seconds 1 --users 100 --items 100 --rate 30%')
  t.is(code, 0, errors + output)
  t.regex(output, /^The peak\nconnections/m)
  t.regex(output, /^due\/s .* not sent +not 200\n.* 0 +none$/m)
  t.regex(output, /^Conservation: holds/m)
})

test.serial('counts what requests other than checkouts did to each wallet', async (t) => {
  const { code, output, errors } = await runBench(
    t,
    '--warm-up 1 --seconds 1 --connections 8 --route add-funds --users 50',
  )
  t.is(code, 0, errors + output)
  t.regex(output, /^Conservation: holds/m)
  const [, added = ''] = /credit 5,0{3},(\d{3},\d{3}) added/.exec(output) ?? []
  t.true(Number(added.replace(',', '')) > 100, output)
})

test.serial(
  'compares a shop whose clients bear tokens with another in turns, and balances the books of both',
  async (t) => {
    const other = await startShop()
    t.teardown(other.stop)
    const { code, output, errors } = await runBench(
      t,
      `--warm-up 1 --seconds 2 --connections 4 --users 500 --items 500 --auth --compare ${other.url}`,
    )
    t.is(code, 0, errors + output)
    t.regex(output, /^ *ours +4 +[\d,]+ .* none\n *theirs +4 +[\d,]+ .* none$/m)
    t.regex(output, /^ +4 +\d+\.\d+ .* 1$/m)
    t.regex(output, /^Ours. Conservation: holds \(read from the Redis/m)
    t.regex(output, /^Theirs. Conservation: holds \(read by the routes/m)
  },
)

if (process.env.FAULTS === 'full')
  test.serial(
    'compares a shop whose clients bear tokens with an open one of its own, and the CPU of both',
    async (t) => {
      const line = '--warm-up 1 --seconds 2 --connections 4 --users 500 --items 500 --auth --compare open'
      const { code, output, errors } = await runBench(t, line)
      t.is(code, 0, errors + output)
      t.regex(output, /^ *ours +4 +[\d,]+ .* none\n *open +4 +[\d,]+ .* none$/m)
      t.regex(output, /^Ratio of the CPU for an answer, .*\nconnections .*\n +4 +\d+\.\d+ .* 1$/m)
      t.regex(output, /^The open one. Conservation: holds \(read from the Redis/m)
    },
  )

test.serial('measures one route in turn with another, and counts what both did', async (t) => {
  const { code, output, errors } = await runBench(
    t,
    '--warm-up 1 --seconds 2 --connections 4 --users 50 --items 40 --route place --with add-funds',
  )
  t.is(code, 0, errors + output)
  t.regex(output, /^ *place +4 +[\d,]+ .* none\n *add-funds +4 +[\d,]+ .* none$/m)
  t.regex(output, /^connections +place \/ add-funds .*\n +4 +\d+\.\d+ .* 1$/m)
  t.regex(output, /^Conservation: holds/m)
})

test('says in one sentence what is wrong with its options, and fails', async (t) => {
  const { code, output, errors } = await runBench(t, '--secnds 1')
  t.is(code, 1)
  t.is(output, '')
  t.regex(errors, /--secnds.*--help/)
})
