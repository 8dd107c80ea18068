/** How many checkouts are decided, in which way, and how long does that take? */
import { html, useEffect, useRef, useState } from '/vendor/preact.js'
import UPlot from '/vendor/uplot.js'
import { Card } from './parts.js'
import { bodyOf } from './shop-state.js'
import { duration } from './words.js'

const HEIGHT = 150
const SHOWN_S = 120
const LINES = ['paid', 'refused', 'cancelled']

/** The colours that the style sheet has for these, as the page is lit now. */
const colours = (element, names) =>
  Object.fromEntries(
    names.map((name) => {
      element.style.color = `var(--${name})`
      const { color } = getComputedStyle(element)
      element.style.color = ''
      return [name, color]
    }),
  )

const faint = (colour) => colour.replace(/^rgb\((.*)\)$/, 'rgba($1, .14)')

const axesOf = ({ dim, line }, unit) => [
  {
    stroke: dim,
    grid: { show: false },
    ticks: { show: false },
    size: 28,
    space: 70,
    values: (_, at) => at.map((one) => `${Math.round(one)} s`),
  },
  {
    stroke: dim,
    grid: { stroke: line, width: 1 },
    ticks: { show: false },
    size: 58,
    values: (_, at) => at.map((one) => (unit ? duration(one) : Number.isInteger(one) ? `${one}` : '')),
  },
]

/** A chart that follows its place and the light. */
const Chart = ({ label, data, series, unit }) => {
  const at = useRef(null)
  const plot = useRef(null)
  const [light, setLight] = useState(0)
  useEffect(() => {
    const dark = matchMedia('(prefers-color-scheme: dark)')
    const turn = () => setLight((n) => n + 1)
    dark.addEventListener('change', turn)
    return () => dark.removeEventListener('change', turn)
  }, [])
  useEffect(() => {
    const place = at.current
    const known = colours(place, ['dim', 'line', ...series.map(({ colour }) => colour)])
    plot.current = new UPlot(
      {
        width: place.clientWidth,
        height: HEIGHT,
        legend: { show: false },
        cursor: { show: false },
        scales: {
          x: { time: false, range: [-SHOWN_S, 0] },
          y: { range: (_, _low, high) => [0, Math.max(high ?? 0, unit ? 20 : 4) * 1.1] },
        },
        axes: axesOf(known, unit),
        series: [
          {},
          ...series.map(({ colour, filled }) => ({
            stroke: known[colour],
            width: 1.5,
            points: { show: false },
            spanGaps: true,
            ...(filled ? { fill: faint(known[colour]) } : {}),
          })),
        ],
      },
      data,
      place,
    )
    const watch = new ResizeObserver(() => plot.current.setSize({ width: place.clientWidth, height: HEIGHT }))
    watch.observe(place)
    return () => {
      watch.disconnect()
      plot.current.destroy()
    }
  }, [light])
  useEffect(() => plot.current.setData(data), [data])
  return html`<div class="chart" ref=${at} role="img" aria-label=${label}></div>`
}

const Figure = ({ name, value, kind = '' }) =>
  html`<div class=${`figure ${kind}`}><dt>${name}</dt><dd>${value}</dd></div>`

const waitingIn = (services) =>
  services.reduce((sum, { waiting }) => sum + waiting.checkout + waiting.short + waiting.long, 0)
const underWay = (services) =>
  services.flatMap(({ replicas }) => replicas).reduce((sum, { in_flight }) => sum + in_flight.checkout, 0)

/** Of the last seconds, how many a second. */
const RECENT_S = 5
const rateOf = (seconds, name) => {
  const recent = seconds.slice(-RECENT_S)
  const sum = recent.reduce((total, one) => total + one[name], 0)
  return recent.length === 0 ? 0 : sum / recent.length
}
const rate = (value) => (value >= 10 || value === 0 ? `${Math.round(value)}` : value.toFixed(1))

export const Flow = ({ state }) => {
  const { seconds, services } = state
  const now = Math.floor(state.at / 1_000)
  const ages = seconds.map(({ at }) => at - now)
  const rates = [ages, ...LINES.map((name) => seconds.map((one) => one[name]))]
  const times = [ages, seconds.map(({ p50 }) => p50), seconds.map(({ p99 }) => p99)]
  const last = seconds.findLast(({ p50 }) => p50 !== null)
  const unfinished = bodyOf(state, 'unfinished.order')
  const open = unfinished ? `${unfinished.unfinished.length}${unfinished.more ? '+' : ''}` : '–'
  return html`<${Card} name="flow" title="Flow" aside=${html`<span class="note">the last two minutes</span>`}>
    <dl class="figures">
      <${Figure} name="paid /s" value=${rate(rateOf(seconds, 'paid'))} kind="good" />
      <${Figure} name="refused /s" value=${rate(rateOf(seconds, 'refused'))} kind="off" />
      <${Figure} name="cancelled /s" value=${rate(rateOf(seconds, 'cancelled'))} kind="bad" />
      <${Figure} name="p50" value=${duration(last?.p50)} />
      <${Figure} name="p99" value=${duration(last?.p99)} />
      <${Figure} name="open" value=${open} />
      <${Figure} name="under way" value=${underWay(services)} />
      <${Figure} name="waiting" value=${waitingIn(services)} />
    </dl>
    <div class="charts">
      <figure><figcaption>decided per second</figcaption>
        <${Chart} label=${`checkouts decided per second: ${rate(rateOf(seconds, 'paid'))} paid, ${rate(rateOf(seconds, 'refused'))} refused, ${rate(rateOf(seconds, 'cancelled'))} cancelled`}
          data=${rates} series=${[{ colour: 'good', filled: true }, { colour: 'busy' }, { colour: 'bad' }]} /></figure>
      <figure><figcaption>from its beginning to its decision</figcaption>
        <${Chart} label=${`time to a decision: half within ${duration(last?.p50)}, 99 of 100 within ${duration(last?.p99)}`}
          data=${times} series=${[{ colour: 'accent', filled: true }, { colour: 'dim' }]} unit="ms" /></figure>
    </div>
  <//>`
}
