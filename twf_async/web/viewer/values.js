// Value grids: the numbers behind a picture, read in the browser (docs/value-grids.md).
//
//   const grid = await fetchValueGrid("/maps/gfs/2026012912/pnw/t2m/f006.vgrid?v=...");
//   grid.valueAt(-122.3, 47.6)            // kelvins, NaN off the grid or where missing
//   grid.nearestAt(-122.3, 47.6)          // of the closest cell
//   grid.categoryAt(-122.3, 47.6)         // "snow", or "" for none or a grid without categories

import { projection, wrapped } from "./projections.js";

const MAGIC = 0x52475689; // 89 56 47 52, as a little-endian number
const VERSION = 1;
const PREFIX_BYTES = 12;
const KINDS = new Set(["latlon", "mercator", "polar_stereographic", "lambert"]);

export class ValueGridError extends Error {
  name = "ValueGridError";
}

/** The ValueGrid at an address; ValueGridError when it is not there or damaged. */
export async function fetchValueGrid(address, options) {
  const answer = await fetch(address, options);
  if (!answer.ok) throw new ValueGridError(`${address}: ${answer.status}`);
  return readValueGrid(await answer.arrayBuffer());
}

/**
 * A ValueGrid from the bytes of a file (an ArrayBuffer or a Uint8Array); ValueGridError: it is
 * none, or damaged.
 */
export async function readValueGrid(bytes) {
  const { buffer } = new Uint8Array(ArrayBuffer.isView(bytes) ? bytes : new Uint8Array(bytes));
  if (buffer.byteLength < PREFIX_BYTES) throw new ValueGridError("this is not a value grid file");
  const prefix = new DataView(buffer, 0, PREFIX_BYTES);
  if (prefix.getUint32(0, true) !== MAGIC) {
    throw new ValueGridError("this is not a value grid file");
  }
  if (prefix.getUint32(4, true) !== VERSION) {
    const version = `${prefix.getUint16(4, true)}.${prefix.getUint16(6, true)}`;
    throw new ValueGridError(`value grids of version ${version} are not known here`);
  }
  const length = prefix.getUint32(8, true);
  const body = await inflated(buffer.slice(PREFIX_BYTES));
  const header = headerOf(body.subarray(0, length), length);
  return new ValueGrid(header, planesOf(header, body.subarray(length)));
}

async function inflated(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  let body;
  try {
    body = new Uint8Array(await new Response(stream).arrayBuffer());
  } catch {
    throw new ValueGridError("the value grid is damaged");
  }
  // Not every DecompressionStream minds a stream that is cut within its checksum, or goes on.
  const last = bytes.byteLength - 4;
  if (last < 0 || new DataView(bytes).getUint32(last) !== adler32(body)) {
    throw new ValueGridError("the value grid is cut short, or something follows it");
  }
  return body;
}

/** The checksum at the end of a zlib stream (RFC 1950). */
function adler32(bytes) {
  let [low, high] = [1, 0];
  for (let k = 0; k < bytes.length; ) {
    const end = Math.min(k + 3800, bytes.length); // so many before the sums outgrow 32 bits
    for (; k < end; k += 1) {
      low += bytes[k];
      high += low;
    }
    low %= 65521;
    high %= 65521;
  }
  return high * 65536 + low;
}

function headerOf(bytes, length) {
  if (bytes.length !== length) throw new ValueGridError("the value grid ends within its header");
  let header;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new ValueGridError("the header of the value grid is no JSON");
  }
  const { grid, planes } = header;
  const whole = [grid?.nx, grid?.ny].every((count) => Number.isInteger(count) && count > 0) &&
    [grid.x0, grid.y0, grid.dx, grid.dy].every(Number.isFinite) && grid.dx > 0 && grid.dy < 0 &&
    typeof grid.crs === "string" && Array.isArray(planes);
  if (!whole) throw new ValueGridError("the header of the value grid is wrong");
  if (!KINDS.has(grid.kind)) {
    throw new ValueGridError(`grids of the kind ${grid.kind} are not known here`);
  }
  return header;
}

/** Name -> {header of the plane, its bytes}: one after the other, in the order of the header. */
function planesOf(header, body) {
  const planes = new Map();
  let start = 0;
  for (const plane of header.planes) {
    if (planes.has(plane.name)) throw new ValueGridError("two planes have one name");
    const size = plane.bytes * header.grid.nx * header.grid.ny;
    planes.set(plane.name, { ...plane, data: body.subarray(start, start + size) });
    start += size;
  }
  if (start !== body.length) {
    throw new ValueGridError("the value grid is cut short, or something follows it");
  }
  return planes;
}

/** Undo the predictor: bytes apart, residuals folded around zero, median of three neighbours. */
function codesOf(data, nx, ny) {
  const cells = nx * ny;
  const codes = new Uint16Array(cells);
  for (let k = 0; k < cells; k += 1) {
    const folded = data[k] | (data[cells + k] << 8);
    const residual = (folded >> 1) ^ -(folded & 1);
    codes[k] = residual + foretold(codes, k, k % nx, nx); // the array keeps the last 16 bits
  }
  return codes;
}

function foretold(codes, k, column, nx) {
  if (k < nx) return column ? codes[k - 1] : 0;
  if (!column) return codes[k - nx];
  const [left, upper, corner] = [codes[k - 1], codes[k - nx], codes[k - nx - 1]];
  const lowest = Math.min(left, upper);
  const highest = Math.max(left, upper);
  return lowest + highest - Math.min(Math.max(corner, lowest), highest);
}

/**
 * header  as in the file: model, cycle, hour, valid_time, region, product, unit, grid, ...
 * values  Float32Array, row by row from the north west, NaN where missing
 */
export class ValueGrid {
  constructor(header, planes) {
    this.header = header;
    const { nx, ny, kind, crs } = header.grid;
    const plane = planes.get("values");
    if (!plane || plane.bytes !== 2 || plane.predictor !== "median") {
      throw new ValueGridError("the values are kept in a way that is not known here");
    }
    const { scale = 1, offset = 0, missing } = plane;
    this.values = Float32Array.from(codesOf(plane.data, nx, ny), (code) =>
      code === missing ? NaN : offset + scale * code);
    this.category = planes.get("category");
    this.project = kind === "latlon" ? undefined : projection(crs);
    if (kind !== "latlon" && !this.project) throw new ValueGridError(`${crs} is not known here`);
  }

  get unit() {
    return this.header.unit;
  }

  /** Fractional [column, row] of a place in degrees; whole numbers are the middles of cells. */
  index(lon, lat) {
    const { nx, x0, y0, dx, dy } = this.header.grid;
    if (!this.project) {
      const middle = (nx - 1) / 2;
      return [wrapped(lon - (x0 + middle * dx)) / dx + middle, (lat - y0) / dy];
    }
    const [x, y] = this.project(wrapped(lon), lat);
    return [(x - x0) / dx, (y - y0) / dy];
  }

  /** Between the four cells around a place; NaN if one that counts is missing. */
  valueAt(lon, lat) {
    const [column, row] = this.index(lon, lat);
    const [left, top] = [Math.floor(column), Math.floor(row)];
    const [right, lower] = [column - left, row - top];
    let sum = 0;
    for (const [c, r, weight] of [
      [left, top, (1 - right) * (1 - lower)],
      [left + 1, top, right * (1 - lower)],
      [left, top + 1, (1 - right) * lower],
      [left + 1, top + 1, right * lower],
    ]) {
      if (weight !== 0) sum += weight * this.cell(c, r);
    }
    return sum;
  }

  /** Of the closest cell, up to half a cell outside the outermost ones. */
  nearestAt(lon, lat) {
    const [column, row] = this.index(lon, lat);
    return this.cell(Math.floor(column + 0.5), Math.floor(row + 0.5));
  }

  /** What falls there: a label of the product's categories, "" for none. */
  categoryAt(lon, lat) {
    const [column, row] = this.index(lon, lat);
    const at = this.position(Math.floor(column + 0.5), Math.floor(row + 0.5));
    return this.category?.labels?.[this.category.data[at]] ?? "";
  }

  cell(column, row) {
    return this.values[this.position(column, row)] ?? NaN;
  }

  /** Where a cell lies in the arrays; -1 off the grid. */
  position(column, row) {
    const { nx, ny, cyclic } = this.header.grid;
    const c = cyclic ? ((column % nx) + nx) % nx : column;
    return c >= 0 && c < nx && row >= 0 && row < ny ? row * nx + c : -1;
  }
}
