//! Which quarter-degree cells a country's territory touches, from Natural Earth 1:10m.
//!
//! For: the lower bound on distances that the round-trip test needs. So everything errs towards
//! larger countries: overseas territories count with the state that they belong to, and disputed
//! areas with every side.
//! Source: npm `world-atlas` 2 (`countries-10m.json`, TopoJSON, ISC; Natural Earth is in the public
//! domain) and `i18n-iso-countries` (MIT) for the letters behind ISO 3166 numbers.

use anyhow::{Context, Result};
use overheard_dissect::place::{CELLS_PER_DEGREE, Cell, cell_of};
use overheard_model::{Coordinates, Country};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Territories with a code of their own that databases also file under their state.
const STATES: [(&str, &str); 14] = [
    ("AU", "CC CX HM NF"),
    ("CN", "HK MO"),
    ("CY", "GB"),
    ("DK", "FO GL"),
    ("FI", "AX"),
    ("FR", "BL GF GP MF MQ NC PF PM RE TF WF YT"),
    ("GB", "AI BM FK GG GI GS IM IO JE KY MS PN SH TC VG"),
    ("IL", "PS"),
    ("MA", "EH"),
    ("NL", "AW BQ CW SX"),
    ("NO", "BV SJ"),
    ("NZ", "CK NU TK"),
    ("RS", "XK"),
    ("US", "AS GU MP PR UM VI"),
];

/// Areas that the map draws without an ISO number, and whom databases may file them under.
const UNNUMBERED: [(&str, &str); 11] = [
    ("Akrotiri", "CY GB"),
    ("Baikonur", "KZ RU"),
    ("Clipperton I.", "FR"),
    ("Coral Sea Is.", "AU"),
    ("Cyprus U.N. Buffer Zone", "CY"),
    ("Dhekelia", "CY GB"),
    ("Indian Ocean Ter.", "AU CC CX"),
    ("Kosovo", "XK RS"),
    ("N. Cyprus", "CY TR"),
    ("Siachen Glacier", "IN PK"),
    ("Somaliland", "SO"),
];

#[derive(Deserialize)]
struct Topology {
    arcs: Vec<Vec<[i64; 2]>>,
    transform: Transform,
    objects: Objects,
}

#[derive(Deserialize)]
struct Transform {
    scale: [f64; 2],
    translate: [f64; 2],
}

#[derive(Deserialize)]
struct Objects {
    countries: Collection,
}

#[derive(Deserialize)]
struct Collection {
    geometries: Vec<Feature>,
}

#[derive(Deserialize)]
struct Feature {
    id: Option<String>,
    properties: Properties,
    #[serde(flatten)]
    shape: Shape,
}

#[derive(Deserialize)]
struct Properties {
    name: String,
}

#[derive(Deserialize)]
#[serde(tag = "type", content = "arcs")]
enum Shape {
    Polygon(Vec<Vec<i64>>),
    MultiPolygon(Vec<Vec<Vec<i64>>>),
}

/// The cells of every country.
pub(super) fn countries(map: &Path, codes: &Path) -> Result<BTreeMap<Country, BTreeSet<Cell>>> {
    let topology: Topology = serde_json::from_slice(&fs::read(map.join("countries-10m.json"))?)?;
    let letters = letters(codes)?;
    let mut countries: BTreeMap<Country, BTreeSet<Cell>> = BTreeMap::new();
    for feature in &topology.objects.countries.geometries {
        let cells = cells(&topology, &feature.shape)?;
        for country in owners(feature, &letters)? {
            countries.entry(country).or_default().extend(&cells);
        }
    }
    for (state, territories) in STATES {
        for territory in territories.split(' ') {
            let cells = countries.get(&super::parse(territory)?).cloned().unwrap_or_default();
            countries.entry(super::parse(state)?).or_default().extend(cells);
        }
    }
    Ok(countries)
}

/// ISO 3166-1: number → letters.
fn letters(codes: &Path) -> Result<BTreeMap<String, Country>> {
    let rows: Vec<[String; 4]> = serde_json::from_slice(&fs::read(codes.join("codes.json"))?)?;
    rows.into_iter().map(|[two, _, number, _]| Ok((number, super::parse(&two)?))).collect()
}

fn owners(feature: &Feature, letters: &BTreeMap<String, Country>) -> Result<Vec<Country>> {
    if let Some(country) = feature.id.as_ref().and_then(|id| letters.get(id)) {
        return Ok(vec![*country]);
    }
    let named = UNNUMBERED.iter().filter(|(name, _)| *name == feature.properties.name);
    named.flat_map(|(_, owners)| owners.split(' ')).map(super::parse).collect()
}

fn cells(topology: &Topology, shape: &Shape) -> Result<BTreeSet<Cell>> {
    let polygons: Vec<&Vec<Vec<i64>>> = match shape {
        Shape::Polygon(rings) => vec![rings],
        Shape::MultiPolygon(polygons) => polygons.iter().collect(),
    };
    let mut cells = BTreeSet::new();
    for rings in polygons {
        let rings: Vec<Vec<Coordinates>> =
            rings.iter().map(|arcs| ring(topology, arcs)).collect::<Result<_>>()?;
        let edges: Vec<_> =
            rings.iter().flat_map(|ring| ring.windows(2).map(|edge| (edge[0], edge[1]))).collect();
        edges.iter().for_each(|(from, to)| trace(*from, *to, &mut cells));
        fill(&edges, &mut cells);
    }
    Ok(cells)
}

/// The points of a ring: arcs one after another, each delta-coded; `!n` is arc n backwards.
fn ring(topology: &Topology, arcs: &[i64]) -> Result<Vec<Coordinates>> {
    let Transform { scale, translate } = topology.transform;
    let mut points = Vec::new();
    for &arc in arcs {
        let index = usize::try_from(if arc < 0 { !arc } else { arc })?;
        let (mut x, mut y) = (0, 0);
        let steps = topology.arcs.get(index).context("the map names an arc that it lacks")?;
        let mut run: Vec<Coordinates> = steps
            .iter()
            .map(|[dx, dy]| {
                (x, y) = (x + dx, y + dy);
                Coordinates {
                    latitude: y as f64 * scale[1] + translate[1],
                    longitude: x as f64 * scale[0] + translate[0],
                }
            })
            .collect();
        if arc < 0 {
            run.reverse();
        }
        points.extend(run);
    }
    Ok(points)
}

/// Adds the cells that an edge runs through; a corner cut by less than 1/32 of a cell may be missed.
fn trace(from: Coordinates, to: Coordinates, cells: &mut BTreeSet<Cell>) {
    let (north, east) = (to.latitude - from.latitude, to.longitude - from.longitude);
    let steps = (north.abs().max(east.abs()) * f64::from(CELLS_PER_DEGREE) * 32.0).ceil().max(1.0);
    for n in 0..=steps as u32 {
        let share = f64::from(n) / steps;
        let point =
            Coordinates { latitude: from.latitude + share * north, longitude: from.longitude + share * east };
        cells.insert(cell_of(point));
    }
}

/// Adds the cells whose centre lies inside the edges (even-odd rule along each row).
fn fill(edges: &[(Coordinates, Coordinates)], cells: &mut BTreeSet<Cell>) {
    let per_degree = f64::from(CELLS_PER_DEGREE);
    let mut crossings: BTreeMap<u16, Vec<f64>> = BTreeMap::new();
    for (from, to) in edges {
        let (low, high) = if from.latitude < to.latitude { (from, to) } else { (to, from) };
        let row_of = |latitude: f64| ((latitude + 90.0) * per_degree - 0.5).ceil() as u16;
        for row in row_of(low.latitude)..row_of(high.latitude) {
            let latitude = (f64::from(row) + 0.5) / per_degree - 90.0;
            let share = (latitude - low.latitude) / (high.latitude - low.latitude);
            let longitude = low.longitude + share * (high.longitude - low.longitude);
            crossings.entry(row).or_default().push(longitude);
        }
    }
    for (row, mut longitudes) in crossings {
        longitudes.sort_by(f64::total_cmp);
        for pair in longitudes.as_chunks::<2>().0 {
            let [first, end] = pair.map(|longitude| ((longitude + 180.0) * per_degree - 0.5).ceil() as u16);
            cells.extend((first..end).map(|column| (row, column)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(latitude: f64, longitude: f64) -> Coordinates {
        Coordinates { latitude, longitude }
    }

    #[test]
    fn a_square_touches_its_cells_and_no_other() {
        let corners = [at(0.1, 0.1), at(0.1, 1.1), at(1.1, 1.1), at(1.1, 0.1), at(0.1, 0.1)];
        let edges: Vec<_> = corners.windows(2).map(|edge| (edge[0], edge[1])).collect();
        let mut cells = BTreeSet::new();
        edges.iter().for_each(|(from, to)| trace(*from, *to, &mut cells));
        assert_eq!(cells.len(), 16, "the rim of 5 × 5 cells");
        fill(&edges, &mut cells);
        let expected = (360..365).flat_map(|row| (720..725).map(move |column| (row, column))).collect();
        assert_eq!(cells, expected);
    }
}
