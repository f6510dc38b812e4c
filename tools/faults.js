// What can't be read on a page: a list of texts.  tools/look.py has it run in the page.
(() => {
  const faults = [];
  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth + 1) {
    const wide = [...document.querySelectorAll("body *")].filter(
      (e) => e.getBoundingClientRect().right > root.clientWidth + 1 && !scrolls(e));
    const names = wide.slice(0, 3).map((e) => `${e.tagName.toLowerCase()}.${e.className}`);
    faults.push(`${root.scrollWidth} pixels wide: ${names.join(", ")}`);
  }

  // Whether an element is in one that scrolls sideways, or is cut off there.
  function scrolls(element) {
    for (let e = element; e && e !== document.body; e = e.parentElement)
      if (getComputedStyle(e).overflowX !== "visible") return true;
    return false;
  }

  for (const image of document.images)
    if (image.complete && image.naturalWidth === 0) faults.push(`no picture: ${image.src}`);

  function rgba(text) {
    const numbers = (text.match(/[\d.]+/g) || []).map(Number);
    const scale = text.startsWith("color(") ? 255 : 1;
    const [r = 0, g = 0, b = 0, a = 1] = numbers;
    return [r * scale, g * scale, b * scale, a];
  }

  // A colour seen through another one.
  function over([r, g, b, a], below) {
    return [r, g, b].map((c, i) => c * a + below[i] * (1 - a));
  }

  function background(element) {
    const layers = [];
    for (let e = element; e; e = e.parentElement) {
      const style = getComputedStyle(e);
      layers.push(rgba(style.backgroundColor));
      if (layers.at(-1)[3] === 1) break;
    }
    return layers.reduceRight((below, layer) => over(layer, below), [255, 255, 255]);
  }

  // WCAG 2.1's relative luminance and contrast ratio.
  function luminance(colour) {
    const [r, g, b] = colour.map((c) => {
      const part = c / 255;
      return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  }

  function contrast(one, other) {
    const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  }

  const seen = new Set();
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    const text = texts.currentNode.data.trim();
    if (!text || !element.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true })) continue;
    if (element.closest("svg, script, style, .headerlink")) continue;
    const style = getComputedStyle(element);
    const below = background(element);
    const ratio = contrast(over(rgba(style.color), below), below);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    const where = `${element.tagName.toLowerCase()}.${element.className}`;
    const key = `${where} ${style.color} ${below}`;
    if (ratio < (large ? 3 : 4.5) && !seen.has(key)) {
      seen.add(key);
      faults.push(`contrast ${ratio.toFixed(2)} of ${where}: ${text.slice(0, 40)}`);
    }
  }
  return faults;
})()
