import type {ChartLayout} from '../../../chart/chart-layout.ts'

/** A layout that is built into the page, without the model: the page computes the model from the machine. */
export type BuiltLayout = Omit<ChartLayout, 'model'>
