/** Computes the chart layouts when the page is built, so that elkjs is not a part of the page. */
import {layoutChart} from '../../../chart/layout.ts'
import {chartMachines, chartNames} from './machines.ts'
import {toPageModel} from './page-model.ts'
import type {BuiltLayout} from './built-layout.ts'

export async function layOutCharts(): Promise<Readonly<Record<string, BuiltLayout>>> {
  const built = await Promise.all(
    chartNames.map(async (name) => {
      const {model: _, ...layout} = await layoutChart(toPageModel(chartMachines[name]).drawn)
      return [name, layout] as const
    }),
  )
  return Object.fromEntries(built)
}
