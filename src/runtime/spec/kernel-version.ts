/** @param release of uname(2), such as `6.1.0-13-amd64`; @param least `5.12` */
export function isKernelAtLeast(release: string, least: string): boolean {
  const [major = 0, minor = 0] = toNumbers(release)
  const [leastMajor = 0, leastMinor = 0] = toNumbers(least)
  return major > leastMajor || (major === leastMajor && minor >= leastMinor)
}

function toNumbers(version: string): readonly number[] {
  return (/^(\d+)\.(\d+)/.exec(version)?.slice(1) ?? []).map(Number)
}
