// From longitude and latitude to the plane of a grid's projection, as PROJ does it: Snyder (1987),
// Map Projections: A Working Manual, U.S. Geological Survey Professional Paper 1395.

const RADIANS = Math.PI / 180;

/** Degrees of longitude from -180 on. */
export const wrapped = (degrees) => ((degrees + 180) % 360 + 360) % 360 - 180;

/** What a PROJ string says: "+proj=lcc +lat_1=38.5" gives {proj: "lcc", lat_1: 38.5}. */
function definition(text) {
  const found = {};
  for (const [, name, value] of text.matchAll(/\+(\w+)=(\S+)/g)) {
    found[name] = name === "proj" ? value : Number(value);
  }
  return found;
}

/** Radius at the equator and eccentricity: of a sphere (+R) or an ellipsoid (+a, +b). */
function earth({ R, a, b }) {
  return R ? { radius: R, e: 0 } : { radius: a, e: Math.sqrt(1 - (b / a) ** 2) };
}

/** Snyder 15-9: distance from the pole on the plane, as all conformal projections count it. */
function isometric(phi, e) {
  const sine = e * Math.sin(phi);
  return Math.tan(Math.PI / 4 - phi / 2) / ((1 - sine) / (1 + sine)) ** (e / 2);
}

/** Snyder 14-15: radius of a parallel, in radii of the equator. */
const parallel = (phi, e) => Math.cos(phi) / Math.sqrt(1 - (e * Math.sin(phi)) ** 2);

/** Snyder 15-1 to 15-8. */
function lambert({ lat_0, lat_1, lat_2 = lat_1, lon_0 }, { radius, e }) {
  const [middle, first, second] = [lat_0, lat_1, lat_2].map((degrees) => degrees * RADIANS);
  const cone = Math.abs(first - second) < 1e-10
    ? Math.sin(first)
    : Math.log(parallel(first, e) / parallel(second, e)) /
      Math.log(isometric(first, e) / isometric(second, e));
  const factor = radius * parallel(first, e) / (cone * isometric(first, e) ** cone);
  const origin = factor * isometric(middle, e) ** cone;
  return (lon, lat) => {
    const rho = factor * isometric(lat * RADIANS, e) ** cone;
    const theta = cone * wrapped(lon - lon_0) * RADIANS;
    return [rho * Math.sin(theta), origin - rho * Math.cos(theta)];
  };
}

/** Snyder 21-33 and 21-34, the southern aspect by changing signs. */
function polarStereographic({ lat_0, lat_ts = lat_0, lon_0 }, { radius, e }) {
  const pole = Math.sign(lat_0);
  const truth = Math.abs(lat_ts) * RADIANS;
  const scale = 90 - Math.abs(lat_ts) < 1e-9
    ? 2 / Math.sqrt((1 + e) ** (1 + e) * (1 - e) ** (1 - e))
    : parallel(truth, e) / isometric(truth, e);
  return (lon, lat) => {
    const rho = radius * scale * isometric(pole * lat * RADIANS, e);
    const theta = wrapped(lon - lon_0) * RADIANS;
    return [rho * Math.sin(theta), -pole * rho * Math.cos(theta)];
  };
}

/** Snyder 7-7, true to scale at lat_ts. */
function mercator({ lat_ts = 0, lon_0 }, { radius, e }) {
  const scale = radius * parallel(lat_ts * RADIANS, e);
  return (lon, lat) => [
    scale * wrapped(lon - lon_0) * RADIANS,
    -scale * Math.log(isometric(lat * RADIANS, e)),
  ];
}

const PROJECTIONS = { lcc: lambert, stere: polarStereographic, merc: mercator };

/**
 * (lon, lat) in degrees to [x, y] in metres for a PROJ string; undefined for a projection that is
 * not known here. Only what GRIB grids use: conformal, no false origin.
 */
export function projection(text) {
  const said = definition(text);
  return PROJECTIONS[said.proj]?.(said, earth(said));
}
