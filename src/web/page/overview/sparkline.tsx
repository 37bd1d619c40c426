const [width, height] = [92, 24]
const slots = 59

interface SparklineProps {
  /** Oldest first; the newest is at the right edge. */
  readonly values: readonly number[]
  /** The smallest value that can fill the height, so that small changes near zero look small. */
  readonly floor: number
}

export function Sparkline({values, floor}: SparklineProps) {
  const top = Math.max(floor, ...values) * 1.08
  const points = values.map((value, index) => {
    const x = width - ((values.length - 1 - index) / slots) * width
    return `${x.toFixed(1)} ${(height - 1.5 - (value / top) * (height - 3)).toFixed(1)}`
  })
  if (points.length < 2) return <svg class="sparkline" viewBox={`0 0 ${width} ${height}`} aria-hidden="true" />
  const line = `M${points.join('L')}`
  const left = width - ((values.length - 1) / slots) * width
  return (
    <svg class="sparkline" viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
      <path class="sparkline-area" d={`${line}L${width} ${height}L${left.toFixed(1)} ${height}Z`} />
      <path class="sparkline-line" d={line} />
    </svg>
  )
}
