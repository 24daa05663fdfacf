/**
 * Numbers as people read them, and colours that tell keyspaces apart.
 */
const NUMBER = new Intl.NumberFormat('en');
const SHORT = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 });
const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];

export function whole(number: number): string {
  return NUMBER.format(number);
}

export function short(number: number): string {
  return SHORT.format(number);
}

export function bytes(size: number): string {
  let unit = 0;
  let rest = size;
  for (; rest >= 1024 && unit < UNITS.length - 1; unit++) rest /= 1024;
  return `${unit === 0 ? whole(rest) : short(rest)} ${UNITS[unit]}`;
}

export function percent(share: number): string {
  return `${SHORT.format(share * 100)} %`;
}

export function microseconds(us: number): string {
  if (us === 0) return '–';
  return us >= 1000 ? `${short(us / 1000)} ms` : `${short(us)} µs`;
}

export function seconds(count: number): string {
  if (count < 90) return `${short(count)} s`;
  if (count < 5400) return `${short(count / 60)} min`;
  if (count < 129_600) return `${short(count / 3600)} h`;
  return `${short(count / 86_400)} days`;
}

/** The golden angle: however many there are, the next hue is far from those before. */
const HUE_STEP = 137.508;

/** A canvas knows neither variables nor what is light and dark: what a colour is at this moment. */
export function resolved(colour: string): string {
  const probe = document.createElement('span');
  probe.style.color = colour;
  document.body.append(probe);
  const plain = getComputedStyle(probe).color;
  probe.remove();
  return plain;
}

/** The colour of the keyspace with this place in the list. */
export function colourOf(place: number): string {
  return `oklch(var(--keyspace-light) 0.14 ${(255 + place * HUE_STEP) % 360})`;
}
