// What a reader set once and wants to find again. Storage may be blocked; then it holds for the visit.

export function remember(name, value) {
  try {
    localStorage.setItem(name, value);
  } catch {
    // blocked in some embedded frames
  }
}

export function recall(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}
