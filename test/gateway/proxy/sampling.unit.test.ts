/** Which requests are traced, and what goes on of them? */
import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import test from 'ava'
import { type Passed, passRequest } from '../../../gateway/proxy/headers.ts'
import { noneSampled, openSampling, type Sample, samplingRate } from '../../../gateway/proxy/sampling.ts'
import type { Tracing } from '../../../shared/process/tracing.ts'

const ID = '4bf92f3577b34da6a3ce929d0e0e4736'
const CLIENT = `00-${ID}-00f067aa0ba902b7-01`
const OWN = `00-${ID}-1111111111111111-01`

/** Traces that remember from what was gone on, and what ended. */
const openTraces = () => {
  const parents: (string | undefined)[] = []
  const ended: unknown[] = []
  const tracing: Tracing = {
    start: (_, __, parent) => {
      parents.push(parent)
      return { trace: OWN, end: (attributes) => ended.push(attributes) }
    },
  }
  return { parents, ended, tracing }
}

/** A request with these headers, as it goes on, and the answer to it. */
const requestWith = (...headers: string[]) => {
  const request = new IncomingMessage(new Socket())
  request.method = 'POST'
  request.rawHeaders.push(...headers)
  return { passed: passRequest(request), request, response: new ServerResponse(request) }
}
type Asked = ReturnType<typeof requestWith>
const sampleBy = (sample: Sample, { passed, request, response }: Asked): Passed =>
  sample(passed, 'order', request, response)
const traceparentsOf = ({ headers }: Passed): readonly (string | undefined)[] =>
  headers.flatMap((name, at) => (at % 2 === 0 && name === 'traceparent' ? [headers[at + 1]] : []))

test('one whose client wants it is, and goes on with the span of the gateway', (t) => {
  const { parents, ended, tracing } = openTraces()
  const asked = requestWith('traceparent', CLIENT, 'a', 'traceparent')
  const passed = sampleBy(openSampling(tracing, 0), asked)
  t.deepEqual(traceparentsOf(passed), [OWN])
  t.true(passed.headers.includes('a'))
  t.is(passed.traceId, ID)
  t.deepEqual([parents, ended], [[CLIENT], []])
  asked.response.emit('close')
  t.deepEqual(ended, [{ 'http.response.status_code': 200 }])
})

test('one whose client says nothing is if it is drawn, and begins a trace', (t) => {
  const { parents, tracing } = openTraces()
  t.deepEqual(traceparentsOf(sampleBy(openSampling(tracing, 1), requestWith('a', 'b'))), [OWN])
  t.deepEqual(parents, [undefined])
  const twice = requestWith('traceparent', CLIENT, 'traceparent', CLIENT)
  t.deepEqual(traceparentsOf(sampleBy(openSampling(tracing, 1), twice)), [OWN], 'said twice, it says nothing')
  t.deepEqual(parents, [undefined, undefined])
  const asked = requestWith('a', 'b')
  t.is(sampleBy(openSampling(tracing, 0), asked), asked.passed)
})

test('one whose client wants none is not, and where nobody is told none is', (t) => {
  const { parents, tracing } = openTraces()
  const unwanted = requestWith('traceparent', CLIENT.replace(/01$/, '00'))
  t.is(sampleBy(openSampling(tracing, 1), unwanted), unwanted.passed)
  t.deepEqual(parents, [])
  const wanted = requestWith('traceparent', CLIENT)
  t.is(sampleBy(noneSampled, wanted), wanted.passed)
})

test('the rate is a number from 0 to 1', (t) => {
  t.deepEqual(['0', '1', '0.25'].map(samplingRate.parse), [0, 1, 0.25])
  for (const text of ['', '1.1', '-0.1', '1e-3', 'all', '.5']) t.throws(() => samplingRate.parse(text), undefined, text)
})
