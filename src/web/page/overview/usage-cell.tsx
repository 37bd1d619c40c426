import type {ContainerAddress} from '../../../../machines/ledger/ids.ts'
import {usageOf} from '../model/stats.ts'
import {formatBytes, formatCpu} from '../wording/quantity.ts'
import {Sparkline} from './sparkline.tsx'

interface UsageCellProps {
  readonly address: ContainerAddress
  readonly of: 'cpu' | 'memory'
  readonly isLive: boolean
}

/** The current resource usage, and a sparkline of the last minute. */
export function UsageCell({address, of, isLive}: UsageCellProps) {
  const values = isLive ? (usageOf(address).value?.[of] ?? []) : []
  const latest = values.at(-1)
  const isCpu = of === 'cpu'
  return (
    <span class={`usage usage-${of}`}>
      <Sparkline values={values} floor={isCpu ? 0.05 : 1024 ** 2} />
      <span class="usage-value">
        <span class="unseen">{isCpu ? 'CPU ' : 'memory '}</span>
        {latest === undefined ? (isLive ? '·' : '') : isCpu ? formatCpu(latest) : formatBytes(latest)}
      </span>
    </span>
  )
}
