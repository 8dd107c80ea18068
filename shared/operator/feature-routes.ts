/** How do operators switch features off and on? */
import { type Route, routes } from '../http/route.ts'
import { featureApi } from './api.ts'
import type { Features } from './features.ts'
import { noSuchFeature } from './problems.ts'

export const featureRoutes = (prefix: string, features: Features): readonly Route[] =>
  routes(featureApi(prefix), {
    listFeatures: async () => ({ json: { features: features.list() } }),
    showFeature: async ({ params: { name } }) => {
      const found = features.list().find((feature) => feature.name === name)
      return found ? { json: found } : { problem: noSuchFeature(name) }
    },
    setFeature: async ({ params: { name }, body: { on }, doneBy }) => {
      const found = features.list().find((feature) => feature.name === name)
      if (found === undefined) return { problem: noSuchFeature(name) }
      await features.set(name, on, doneBy)
      return { json: { ...found, on } }
    },
  })
