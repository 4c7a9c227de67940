// A newer answer about a run, laid over what was known of it.

/**
 * Lay `fresh` over `known`, but for what was noted from events after the answer had been asked for
 * (`asked`, as performance.now() counts). An answer about some products leaves the others alone.
 */
export function merge(known, fresh, asked) {
  const { frames, ...head } = fresh;
  Object.assign(known, head);
  for (const [region, products] of Object.entries(frames)) {
    for (const [product, cells] of Object.entries(products)) {
      const before = known.frames[region]?.[product] ?? {};
      for (const [hour, record] of Object.entries(before)) {
        if (record.noted > asked) cells[hour] = record;
      }
      (known.frames[region] ??= {})[product] = cells;
    }
  }
  return known;
}
