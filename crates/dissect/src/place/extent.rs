//! How near a country's territory can be: a lower bound on distances, for the round-trip test.
//!
//! For: calling a claimed country impossible. Each country is the set of quarter-degree cells that its
//! territory touches (Natural Earth 1:10m, packed by `cargo xtask places`, overseas parts included).
//! Promises: the distance is never larger than the true one. A cell counts as the whole disc around
//! it, and the globe as a sphere of 6335 km, the smallest radius of curvature of WGS 84, on which no
//! path is longer than on the ellipsoid. A country that is not in the table has no distance.
//!
//! Layout, deflated (RFC 1951), integers little-endian: per country two letters, u16 runs, and per run
//! u16 row (from the south pole), u16 first column (from 180° W), u16 cells.

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use overheard_model::{Coordinates, Country, Vantage};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{Read, Write};
use std::sync::{LazyLock, Mutex, PoisonError};

/// Cells per degree.
pub const CELLS_PER_DEGREE: u16 = 4;
const ROWS: u16 = 180 * CELLS_PER_DEGREE;
const COLUMNS: u16 = 360 * CELLS_PER_DEGREE;
/// Smallest radius of curvature of the WGS 84 ellipsoid (meridional, at the equator), km.
const RADIUS_KM: f64 = 6335.4;
/// From the centre of a cell to its farthest corner, at the equator, where cells are largest:
/// 0.125° · √2 on a sphere of 6378 km, rounded up; km.
const CELL_KM: f64 = 20.0;
/// Allowance for the map itself: its coastlines are drawn at 1:10 000 000; km.
const MAP_KM: f64 = 10.0;
/// Allowance for land that the map gives to another state, or does not draw: the far side of Crimea is
/// about 125 km from the rest of Ukraine, Kastellorizo and Palagruža lie off the coasts of theirs; km.
const CLAIMED_KM: f64 = 130.0;
/// What a distance to a country is shortened by.
const SLACK_KM: f64 = CELL_KM + MAP_KM + CLAIMED_KM;

/// A cell by row from the south pole and column from 180° W.
pub type Cell = (u16, u16);

/// The cell that a point lies in.
pub fn cell_of(point: Coordinates) -> Cell {
    let index = |degrees: f64, count: u16| {
        let cell = (degrees * f64::from(CELLS_PER_DEGREE)).floor().max(0.0);
        (cell as u16).min(count - 1)
    };
    (index(point.latitude + 90.0, ROWS), index(point.longitude + 180.0, COLUMNS))
}

static EXTENTS: LazyLock<HashMap<Country, BTreeSet<Cell>>> = LazyLock::new(|| {
    unpack(include_bytes!("../../data/extents.bin")).expect("the embedded table was packed by xtask")
});

/// Lower bounds on distances to countries; remembers them, since a study asks for each again and again.
#[derive(Debug, Default)]
pub(super) struct Distances {
    known: Mutex<HashMap<(Here, Country), f64>>,
}

/// A vantage by which distances are known; the bits of a point's coordinates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Here {
    Point(u64, u64),
    Country(Country),
}

impl Here {
    fn of(vantage: &Vantage) -> Self {
        match vantage {
            Vantage::Coordinates(point) => Self::Point(point.latitude.to_bits(), point.longitude.to_bits()),
            Vantage::Country(country) => Self::Country(*country),
        }
    }
}

impl Distances {
    /// What the country's nearest point is at least away from the vantage, km; nothing where the
    /// country, or the vantage's, is not in the table.
    pub(super) fn at_least_km(&self, vantage: &Vantage, country: Country) -> Option<f64> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(km) = known.get(&(Here::of(vantage), country)) {
            return Some(*km);
        }
        let there = EXTENTS.get(&country)?;
        let km = match vantage {
            Vantage::Coordinates(point) => from_point(*point, there),
            Vantage::Country(here) => between(EXTENTS.get(here)?, there),
        };
        known.insert((Here::of(vantage), country), km);
        Some(km)
    }
}

fn from_point(point: Coordinates, cells: &BTreeSet<Cell>) -> f64 {
    if cells.contains(&cell_of(point)) {
        return 0.0;
    }
    (angle_km(&[unit(point)], &rim(cells)) - SLACK_KM).max(0.0)
}

fn between(here: &BTreeSet<Cell>, there: &BTreeSet<Cell>) -> f64 {
    if !here.is_disjoint(there) {
        return 0.0;
    }
    (angle_km(&rim(here), &rim(there)) - 2.0 * SLACK_KM).max(0.0)
}

/// Least distance between any two of the points, km. The largest dot product is the smallest angle.
fn angle_km(here: &[[f64; 3]], there: &[[f64; 3]]) -> f64 {
    let mut nearest = -1.0f64;
    for [x, y, z] in here {
        for [u, v, w] in there {
            nearest = nearest.max(x * u + y * v + z * w);
        }
    }
    nearest.min(1.0).acos() * RADIUS_KM
}

/// Centres of the cells at the rim: seen from outside, the nearest point lies in one of them.
fn rim(cells: &BTreeSet<Cell>) -> Vec<[f64; 3]> {
    let inside = |&(row, column): &Cell| {
        let (west, east) = ((column + COLUMNS - 1) % COLUMNS, (column + 1) % COLUMNS);
        let mut neighbours = vec![(row, west), (row, east), (row + 1, column)];
        neighbours.extend(row.checked_sub(1).map(|south| (south, column)));
        neighbours.iter().all(|neighbour| cells.contains(neighbour))
    };
    cells.iter().filter(|cell| !inside(cell)).map(|cell| unit(centre(*cell))).collect()
}

fn centre((row, column): Cell) -> Coordinates {
    let degrees = |index: u16| (f64::from(index) + 0.5) / f64::from(CELLS_PER_DEGREE);
    Coordinates { latitude: degrees(row) - 90.0, longitude: degrees(column) - 180.0 }
}

fn unit(point: Coordinates) -> [f64; 3] {
    let (latitude, longitude) = (point.latitude.to_radians(), point.longitude.to_radians());
    [latitude.cos() * longitude.cos(), latitude.cos() * longitude.sin(), latitude.sin()]
}

/// Packs the cells of each country.
///
/// # Panics
/// Where a country has 65 536 runs or more: the packer's own mistake.
pub fn pack_extents(countries: &BTreeMap<Country, BTreeSet<Cell>>) -> Vec<u8> {
    let mut plain = Vec::new();
    for (country, cells) in countries {
        let mut runs: Vec<[u16; 3]> = Vec::new();
        for &(row, column) in cells {
            match runs.last_mut() {
                Some([last, first, length]) if *last == row && *first + *length == column => *length += 1,
                _ => runs.push([row, column, 1]),
            }
        }
        plain.extend_from_slice(country.as_str().as_bytes());
        plain.extend_from_slice(&u16::try_from(runs.len()).expect("below 65 536 runs").to_le_bytes());
        plain.extend(runs.iter().flatten().flat_map(|number| number.to_le_bytes()));
    }
    let mut deflated = DeflateEncoder::new(Vec::new(), Compression::best());
    deflated.write_all(&plain).and_then(|()| deflated.finish()).expect("a vector takes all")
}

fn unpack(packed: &[u8]) -> Option<HashMap<Country, BTreeSet<Cell>>> {
    let mut plain = Vec::new();
    DeflateDecoder::new(packed).read_to_end(&mut plain).ok()?;
    let mut countries = HashMap::new();
    let mut rest = plain.as_slice();
    while !rest.is_empty() {
        let (letters, after) = rest.split_first_chunk::<2>()?;
        let (count, after) = after.split_first_chunk::<2>()?;
        let (runs, after) = after.split_at_checked(usize::from(u16::from_le_bytes(*count)) * 6)?;
        let country = std::str::from_utf8(letters).ok()?.parse().ok()?;
        let cells = runs.as_chunks::<6>().0.iter().flat_map(|&[a, b, c, d, e, f]| {
            let (row, first) = (u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d]));
            (0..u16::from_le_bytes([e, f])).map(move |n| (row, first + n))
        });
        countries.insert(country, cells.collect());
        rest = after;
    }
    Some(countries)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn km(from: &str, to: &str) -> f64 {
        Distances::default().at_least_km(&from.parse().unwrap(), to.parse().unwrap()).unwrap()
    }

    /// `low..=high` brackets the true distance from published coordinates: the bound may fall short
    /// of it by the cells and margins, and never exceeds it.
    #[track_caller]
    fn assert_within(bound: f64, truth: f64) {
        assert!(
            bound <= truth && bound >= truth * 0.99 - 2.0 * (SLACK_KM + CELL_KM),
            "{bound} km for {truth} km"
        );
    }

    #[test]
    fn disputed_land_does_not_make_a_true_country_impossible() {
        assert_eq!(km("44.95,34.10", "UA"), 0.0); // Simferopol
        assert_eq!(km("44.50,34.16", "RU"), 0.0); // Yalta
        assert_eq!(km("36.149,29.59", "GR"), 0.0); // Kastellorizo
        assert_eq!(km("42.393,16.258", "HR"), 0.0); // Palagruža
    }

    #[test]
    fn known_distances_are_never_exceeded() {
        assert_eq!(km("52.52,13.40", "DE"), 0.0); // Berlin lies in Germany
        assert_eq!(km("DE", "FR"), 0.0); // neighbours
        assert_eq!(km("ZA", "LS"), 0.0); // Lesotho lies within South Africa
        assert_eq!(km("VA", "IT"), 0.0);
        assert_within(km("51.13,1.31", "FR"), 34.0); // Dover, the Strait
        assert_within(km("52.52,13.40", "PL"), 68.0); // Berlin to the Oder
        assert_within(km("-33.87,151.21", "NZ"), 1838.0); // Sydney to Fiordland
        assert_within(km("64.15,-21.94", "GB"), 855.0); // Reykjavik to Rockall
        assert_within(km("ES", "MA"), 14.0); // the Strait of Gibraltar
        assert_within(km("US", "RU"), 4.0); // the Diomede Islands
        assert_within(km("US", "CU"), 145.0); // Key West to Havana's coast, Guantánamo aside
    }

    #[test]
    fn overseas_parts_count() {
        assert_eq!(km("4.92,-52.33", "FR"), 0.0); // Cayenne
        assert_eq!(km("28.12,-15.43", "ES"), 0.0); // Las Palmas
        assert_eq!(km("21.31,-157.86", "US"), 0.0); // Honolulu
        assert_eq!(km("18.47,-66.11", "US"), 0.0); // San Juan
        assert_eq!(km("22.30,114.17", "CN"), 0.0); // Hong Kong
    }

    #[test]
    fn a_distance_is_that_of_its_own_vantage() {
        let distances = Distances::default();
        let km = |from: &str, to: &str| {
            distances.at_least_km(&from.parse().unwrap(), to.parse().unwrap()).unwrap()
        };
        for _ in 0..2 {
            assert_eq!(km("52.52,13.40", "DE"), 0.0);
            assert!(km("-33.87,151.21", "DE") > 10_000.0 && km("AU", "DE") > 10_000.0);
            assert!(km("52.52,13.40", "AU") > 10_000.0);
        }
    }

    #[test]
    fn the_antimeridian_is_no_wall() {
        assert!(km("-16.5,179.99", "FJ") < 60.0);
        assert!(km("-16.5,-179.99", "FJ") < 60.0);
    }

    #[test]
    fn unknown_countries_have_no_distance() {
        assert_eq!(Distances::default().at_least_km(&"LU".parse().unwrap(), "EU".parse().unwrap()), None);
        assert_eq!(
            Distances::default().at_least_km(&Vantage::Country("EU".parse().unwrap()), "LU".parse().unwrap()),
            None
        );
    }

    #[test]
    fn packing_keeps_every_cell() {
        let cells = BTreeSet::from([(0, 0), (0, 1), (0, 3), (719, 1438), (719, 1439)]);
        let countries = BTreeMap::from([("LU".parse().unwrap(), cells.clone())]);
        assert_eq!(unpack(&pack_extents(&countries)).unwrap()[&"LU".parse().unwrap()], cells);
    }
}
