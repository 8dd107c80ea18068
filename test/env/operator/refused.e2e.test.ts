/** What is an operator told whose tool the shop does not let in, or that could ask a part of it only? */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import type { Problem } from '../../../shared/http/problem.ts'
import { draining, insufficientScope } from '../../../shared/http/problems.ts'
import { run } from '../../support/program.ts'

/** A shop that answers each path with a problem, or with a list of nothing. */
const openAnswering = async (t: ExecutionContext, problemAt: (path: string) => Problem | undefined) => {
  const server = createServer((request, response) => {
    const problem = problemAt(request.url ?? '')
    response.writeHead(problem?.status ?? 200, { 'Content-Type': 'application/json', Connection: 'close' })
    response.end(JSON.stringify(problem ?? { contradictions: [], unfinished: [], dead_letters: [], next: null }))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return (...line: string[]) => run(t, ['env/operator/saga.ts', ...line, '--url', url, '--token', 'annas'])
}

for (const line of [['list'], ['dead', 'list'], ['explain', 'it']])
  test(`"${line.join(' ')}" with a token that is not an operator’s says so, and nothing else`, async (t) => {
    const saga = await openAnswering(t, () => insufficientScope('operator'))
    const { code, output, errors } = await saga(...line)
    t.deepEqual([code, output], [2, ''])
    t.is(errors, 'the token is refused (the token does not allow this: this wants the scope "operator")\n')
  })

test('what hangs is told as far as could be asked', async (t) => {
  const saga = await openAnswering(t, (path) => (path.startsWith('/payment/') ? draining() : undefined))
  const { code, output } = await saga('list')
  t.is(code, 2)
  t.regex(
    output,
    /^as far as could be asked, nothing hangs, and nothing is contradicted\npayment does not answer \(.+\)\n$/,
  )
})
