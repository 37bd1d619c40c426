import type {ChartLayout} from '../../../chart/chart-layout.ts'

/** As it comes with the page: without the model, which cannot be written as JSON and need not be. */
export type BuiltLayout = Omit<ChartLayout, 'model'>
