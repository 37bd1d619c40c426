/** Lays the charts out when the page is built: they change only with the code, and elkjs need not be sent to anybody. */
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
