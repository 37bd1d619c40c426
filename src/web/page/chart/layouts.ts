/** The charts of the page: models computed from the machines, and layouts computed when the page was built. */
import {layouts} from 'tally:charts'
import type {BuiltLayout} from './built-layout.ts'
import {type ChartName, chartMachines} from './machines.ts'
import {type PageModel, toPageModel} from './page-model.ts'

export interface PageChart {
  readonly model: PageModel
  readonly layout: BuiltLayout
}

const charts = new Map<ChartName, PageChart>()

export function findChart(name: ChartName): PageChart {
  const known = charts.get(name)
  if (known) return known
  const made = {model: toPageModel(chartMachines[name]), layout: layouts[name]}
  charts.set(name, made)
  return made
}
