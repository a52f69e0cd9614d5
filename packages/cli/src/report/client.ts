/**
 * The page's script: appearance, downloads, the filter and order of images, and opening what a link leads to. Without
 * it everything can still be read.
 */
export const clientScript = `
(() => {
  const root = document.documentElement;
  const find = (id) => document.getElementById(id);
  const stored = { get() { try { return localStorage.getItem('cambium-theme'); } catch { return null; } },
    set(value) { try { localStorage.setItem('cambium-theme', value); } catch { /* private pages keep nothing */ } } };

  const themes = ['auto', 'light', 'dark'];
  const button = find('theme');
  const show = (theme) => {
    root.dataset.theme = theme;
    button.textContent = { auto: '◐ Auto', light: '☀ Light', dark: '☾ Dark' }[theme];
    button.setAttribute('aria-label', 'Appearance: ' + theme + '. Press for the next.');
  };
  show(themes.includes(stored.get()) ? stored.get() : 'auto');
  button.addEventListener('click', () => {
    const next = themes[(themes.indexOf(root.dataset.theme) + 1) % themes.length];
    stored.set(next);
    show(next);
  });

  const unpack = async () => {
    const packed = Uint8Array.from(atob(find('chart-sources').textContent), (character) => character.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'));
    return JSON.parse(await new Response(stream).text());
  };
  let unpacked;
  const sourcesOf = () => unpacked ??= unpack();
  const save = (name, type, text) => {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([text], { type }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };
  const standalone = (svg, inks) => {
    const copy = svg.cloneNode(true);
    const [, , width, height] = copy.getAttribute('viewBox').split(' ');
    copy.removeAttribute('style');
    copy.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
    copy.setAttribute('width', width);
    copy.setAttribute('height', height);
    const paper = document.createElementNS('http://www.w3.org/2000/svg', 'rect');
    for (const [name, value] of [['width', width], ['height', height], ['fill', inks.paper]]) paper.setAttribute(name, value);
    copy.prepend(paper);
    return new XMLSerializer().serializeToString(copy).replace(/var\\(--([a-z0-9-]+)\\)/g, (whole, name) => inks[name] ?? whole);
  };
  document.addEventListener('click', async (event) => {
    const link = event.target.closest?.('a.save');
    if (!link) return;
    event.preventDefault();
    const figure = link.closest('figure');
    const { inks, charts } = await sourcesOf();
    const source = charts[figure.dataset.chart];
    if (link.dataset.save === 'SVG') save(link.download, 'image/svg+xml', standalone(figure.querySelector('.drawing svg'), inks));
    else if (link.dataset.save === 'Spec') save(link.download, 'application/json', JSON.stringify(source.spec, null, 2));
    else save(link.download, 'text/csv', source.csv);
  });

  const cards = find('image-cards');
  const all = [...cards.children];
  const classes = find('class-filter'), order = find('image-order'), count = find('image-count'), openAll = find('open-all');
  const arrange = () => {
    const key = order.value;
    const sorted = key === 'name' ? all : [...all].sort((a, b) => Number(b.dataset[key]) - Number(a.dataset[key]));
    cards.append(...sorted);
    for (const card of all) card.hidden = classes.value !== '' && card.dataset.class !== classes.value;
    count.textContent = all.filter((card) => !card.hidden).length + ' of ' + all.length + ' images';
  };
  classes.addEventListener('change', arrange);
  order.addEventListener('change', arrange);
  openAll.addEventListener('click', () => {
    const open = openAll.textContent === 'Open all';
    for (const card of all) if (!card.hidden) card.open = open;
    openAll.textContent = open ? 'Close all' : 'Open all';
  });
  arrange();

  const reveal = () => {
    const target = location.hash.length > 1 ? find(decodeURIComponent(location.hash.slice(1))) : null;
    if (!target) return;
    if (target.hidden) { classes.value = ''; arrange(); }
    for (let part = target.closest('details'); part; part = part.parentElement.closest('details')) part.open = true;
    target.scrollIntoView();
  };
  addEventListener('hashchange', reveal);
  reveal();
  document.addEventListener('click', (event) => {
    const link = event.target.closest?.('a[data-open]');
    if (link && link.getAttribute('href') === location.hash) { event.preventDefault(); reveal(); }
  });

  const links = new Map([...document.querySelectorAll('nav a')].map((link) => [link.getAttribute('href').slice(1), link]));
  const watch = new IntersectionObserver((seen) => {
    for (const { isIntersecting, target } of seen) if (isIntersecting) {
      for (const link of links.values()) link.removeAttribute('aria-current');
      links.get(target.id)?.setAttribute('aria-current', 'true');
    }
  }, { rootMargin: '-10% 0px -80% 0px' });
  for (const section of document.querySelectorAll('main > section')) watch.observe(section);
})();
`;
