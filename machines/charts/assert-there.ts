/** What a guard of the chart has made sure of. @throws Error when it has not */
export function assertThere<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('the chart has let something through that is not there')
  return value
}
